import { isRecord } from '../../json.js';
import type { ReceivedRequest } from '../request-log.js';
import type { BenchEdge } from './bench-state.js';
import { type Html, html } from './html.js';
import { BASE, type Page, pill } from './layout.js';

const MAX_ROWS = 200;
/** The most characters of a body that are shown. */
const MAX_BODY = 4000;

/** The page of the requests, the newest first. */
export function livePage({ requests }: BenchEdge): Page {
  const rows = requests.slice(-MAX_ROWS).reverse().map(liveRow);
  const none =
    rows.length === 0 &&
    html`<p id="none" class="soft">Nothing yet. Send a request to this edge: it appears here.</p>`;
  const { length } = requests;
  return {
    name: 'live',
    title: 'What arrives?',
    lead: 'Every request to this edge, the newest first. Open one to see its body and the rules that it breaks.',
    body: html`<div class="card">
<div class="head"><p id="count" role="status">${countOf(length)}</p>
<button id="pause" type="button" aria-pressed="false" hidden>Pause</button></div>
<div id="rows" data-events="${BASE}events">${none}${rows}</div>
</div>`,
  };
}

/** The number of requests in words. */
export function countOf(length: number): string {
  return length === 1 ? '1 request' : `${length} requests`;
}

/** The row of one request. */
export function liveRow(request: ReceivedRequest): Html {
  const { time, method, path, status, fault, violations, body, rawBody } = request;
  const at = new Date(time).toISOString().slice(11, 19);
  const text = body === undefined ? rawBody : JSON.stringify(body, null, 2);
  const shown = text.length > MAX_BODY ? `${text.slice(0, MAX_BODY)}…` : text;
  const broken = violations.map((one) => html`<li><b>${one.path || 'the body'}</b> ${one.message}</li>`);
  const pills = [
    ...(fault ? [pill(`fault: ${fault}`, 'warn')] : []),
    ...(violations.length > 0 ? [pill(`✗ ${violations.length} broken`, 'no')] : []),
    status === undefined ? pill('no answer', 'no') : pill(String(status), status < 400 ? 'yes' : 'no'),
  ];
  return html`<details class="log" data-key="${time} ${path}"><summary><span class="soft">${at}</span><span>${askedFor(request) || `${method} ${path}`}</span><span>${pills.map((one) => html`${one} `)}</span></summary>
<p class="small soft">${method} ${path}</p>
${broken.length > 0 && html`<ul class="no">${broken}</ul>`}
${shown && html`<pre tabindex="0">${shown}</pre>`}
</details>`;
}

/** Says in words what a delivery call asks for. */
function askedFor({ delivery, path }: ReceivedRequest): string {
  if (!delivery) {
    return /rules\.(json|bin)$/.test(path) ? 'the rules' : '';
  }
  const parts = (['execute', 'prefetch'] as const).flatMap((mode) => {
    const locations = isRecord(delivery[mode]) ? delivery[mode] : {};
    const names = [
      ...namesOf(locations.mboxes),
      ...namesOf(locations.views).map((name) => `view ${name}`),
      ...(locations.pageLoad ? ['page load'] : []),
      ...(Array.isArray(locations.views) && locations.views.some((view) => !namesOf([view])[0])
        ? ['all views']
        : []),
    ];
    return names.length > 0 ? [`${mode} ${names.join(', ')}`] : [];
  });
  const { length } = Array.isArray(delivery.notifications) ? delivery.notifications : [];
  return [
    ...parts,
    ...(length > 0 ? [`${length} ${length === 1 ? 'notification' : 'notifications'}`] : []),
  ].join(' · ');
}

function namesOf(list: unknown): string[] {
  return Array.isArray(list)
    ? list.flatMap((one) => (isRecord(one) && typeof one.name === 'string' ? [one.name] : []))
    : [];
}
