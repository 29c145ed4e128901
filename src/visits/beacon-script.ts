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
 * `o` notes in `$t` since when half of an element has been in view. Ten times a second, `O` watches the elements that are
 * there, and queues the notifications of those that have been in view for one second, before a router can remove them.
 * `R` queues the notifications of elements, each once (`s`), also those that come late. `K` sends what is queued, each
 * second and when the page is left. While the page is hidden, nothing is in view. A page that is made in advance waits
 * until it is shown.
 *
 * It stands in each page, so it is written with as few bytes as possible.
 */
const SCRIPT =
  '((E,d=document,w=addEventListener,q=[],s={},Q=k=>[...d.querySelectorAll("[data-target-"+k+"]")],' +
  // A text that is no list of notifications must not stop the others.
  'R=(p,k)=>p[0]&&Q("beacon").map(x=>{try{JSON.parse(x.dataset.targetBeacon||x.text).map(i=>' +
  's[i.id]||p.some(e=>i[k]?.includes(e.dataset?.[k]))&&(s[i.id]=q.push(i)))}catch{}}),' +
  'o=new IntersectionObserver(l=>l.map(({target:e,intersectionRatio:r})=>e.$t=r<.5?1/0:Date.now()),{threshold:.5}),' +
  'O=()=>R(Q("display").filter(e=>d.hidden?e.$t=o.unobserve(e):o.observe(e)||Date.now()-e.$t>=1e3),"targetDisplay"),' +
  'K=b=>{for(;q[0];navigator.sendBeacon?.(E,b)||fetch(E,{method:"POST",body:b,keepalive:1}).catch(K))' +
  'b=JSON.stringify(q.splice(0,20))},' +
  'G=()=>d.$tb||(d.$tb=setInterval(K,1e3),setInterval(O,99),O(),w("load",O),w("pagehide",K),' +
  'w("click",v=>R(v.composedPath(),"targetClick"),1)))=>' +
  'd.prerendering?w("prerenderingchange",G,1):G())';

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
