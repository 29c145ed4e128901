import { describe, invalidOption } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import { toInlineJson } from './inline-json.js';
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

/** Matches a nonce as a Content Security Policy has it. */
const NONCE = /^[\w+/-]{1,256}={0,2}$/;

/**
 * The script, as a function of the endpoint. Each second, and when the page is loaded or left, `K` sends what was queued,
 * and looks for elements that are new, or stops looking while the page is hidden. `R` queues the notifications of elements, each once (`s`). An element is
 * displayed when half of it has been in view for one second. A page that is made in advance waits until it is shown.
 *
 * It stands in each page, so it is written with as few bytes as possible.
 */
const SCRIPT =
  '(E=>{let d=document,w=addEventListener,q=[],s={},Q=k=>d.querySelectorAll("[data-target-"+k+"]"),' +
  'R=(k,p)=>{for(let x of Q("beacon"))for(let i of JSON.parse(x.dataset.targetBeacon||x.text))' +
  's[i.id]||p.some(e=>i[k]?.includes(e.dataset?.[k]))&&(s[i.id]=q.push(i))},' +
  'o=new IntersectionObserver(l=>l.map(({target:e,intersectionRatio:r})=>{clearTimeout(e.$t);' +
  'r<.5||(e.$t=setTimeout(()=>d.hidden||R("targetDisplay",[e]),1e3))}),{threshold:.5}),' +
  'K=()=>{for(;q[0];){let b=JSON.stringify(q.splice(0,20));navigator.sendBeacon?.(E,b)||' +
  'fetch(E,{method:"POST",body:b,keepalive:!0}).catch(d=>d)}' +
  'd.hidden?o.disconnect():Q("display").forEach(e=>o.observe(e))},' +
  'G=()=>{K();setInterval(K,1e3);w("load",K);w("pagehide",K);' +
  'w("click",v=>R("targetClick",v.composedPath()),!0)};' +
  'd.prerendering?w("prerenderingchange",G,!0):G()})';

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
  const nonce = ownFieldOf(options, 'nonce') ?? undefined;
  if (!isPath(endpoint)) {
    throw invalidOption('endpoint', "a path such as '/target/beacon'", endpoint);
  }
  if (nonce !== undefined && !(typeof nonce === 'string' && NONCE.test(nonce))) {
    throw invalidOption('nonce', 'base64 characters', nonce, describe);
  }
  const attribute = nonce === undefined ? '' : ` nonce="${nonce}"`;
  return `<script${attribute}>${SCRIPT}(${toInlineJson(endpoint)})</script>`;
}
