import { invalidOption } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import { toInlineJson } from './inline-json.js';
import { toInlineScript } from './inline-script.js';
import { isPath } from './page-url.js';

/** The options of {@link beaconScript}. */
export interface BeaconScriptOptions {
  /** The path at which your server calls {@link handleBeacon}, such as `/target/beacon`. */
  readonly endpoint: string;
  /**
   * The nonce of the page's Content Security Policy, in base64 characters.
   * @see https://www.w3.org/TR/CSP3/#grammardef-nonce-source
   * @default none
   */
  readonly nonce?: string | null | undefined;
}

/**
 * The script, as a function of the endpoint. It runs once in a page, also when the page has it twice or runs it again.
 *
 * `R` queues the notifications of elements, each once (`s`). `o` notes in `$v` which elements have been half in view for one
 * second. Each second, and when the page is loaded or left, `K` looks for elements and notifications that are new, and
 * sends what is queued. While the page is hidden, nothing is in view. A page that is made in advance waits until it is
 * shown.
 *
 * It stands in each page, so it is written with as few bytes as possible.
 */
const SCRIPT =
  '(E=>{let d=document,w=addEventListener,q=[],s={},Q=k=>[...d.querySelectorAll("[data-target-"+k+"]")],' +
  // A text that is no list of notifications must not stop the others.
  'R=(k,p)=>Q("beacon").map(x=>{try{JSON.parse(x.dataset.targetBeacon||x.text).map(i=>' +
  's[i.id]||p.some(e=>i[k]?.includes(e.dataset?.[k]))&&(s[i.id]=q.push(i)))}catch{}}),' +
  'o=new IntersectionObserver(l=>l.map(({target:e,intersectionRatio:r})=>{e.$v=clearTimeout(e.$t);' +
  'r<.5||(e.$t=setTimeout(()=>e.$v=!d.hidden,1e3))}),{threshold:.5}),' +
  'K=()=>{R("targetDisplay",Q("display").filter(e=>[e.$v,d.hidden?e.$v=o.unobserve(e):o.observe(e)][0]));' +
  'for(let b;q[0];navigator.sendBeacon?.(E,b)||fetch(E,{method:"POST",body:b,keepalive:1}).catch(K))' +
  'b=JSON.stringify(q.splice(0,20))},' +
  'G=()=>d.$tb||(d.$tb=setInterval(K,1e3),K(),w("load",K),w("pagehide",K),' +
  'w("click",v=>R("targetClick",v.composedPath()),1));' +
  'd.prerendering?w("prerenderingchange",G,1):G()})';

/**
 * Returns a `<script>` for the page that reports displays and clicks to your endpoint. It needs the notifications of
 * {@link toBeacon} in elements with the attribute `data-target-beacon`, as the value of the attribute or as the text of a
 * script. An element with `data-target-display="hero"` is reported when half of it has been in view for one second, and
 * one with `data-target-click="hero"` when it is clicked.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong endpoint or nonce. `path` of the error names it.
 * @example
 * ```ts
 * const head = `<head>${beaconScript({ endpoint: '/target/beacon', nonce: 'MTIzNDU2Nzg5MDEyMzQ1Ng==' })}</head>`;
 * ```
 */
export function beaconScript(options: BeaconScriptOptions): string {
  if (!isRecord(options)) {
    throw invalidOption('options', 'an object', options);
  }
  const endpoint = ownFieldOf(options, 'endpoint');
  if (!isPath(endpoint)) {
    throw invalidOption('endpoint', "a path such as '/target/beacon'", endpoint);
  }
  return toInlineScript(`${SCRIPT}(${toInlineJson(endpoint)})`, ownFieldOf(options, 'nonce'));
}
