import { toError } from '../../errors.js';
import type { Fault } from '../faults.js';
import type { BenchEdge, Fields } from './bench-state.js';
import { html } from './html.js';
import { BASE, choices, notice, type Page, textField } from './layout.js';

/** The faults of the form, with what they do in words. */
const KINDS = [
  ['status', 'answer with a status'],
  ['delay', 'answer late'],
  ['hang', 'no answer'],
  ['stall', 'headers, then nothing'],
  ['reset', 'reset the connection'],
  ['resetMidBody', 'reset in the middle of the body'],
  ['truncate', 'half the body'],
] as const;

/** The requests that a fault of the form can be for. */
const CALLS: ReadonlyMap<string, readonly [words: string, where: RegExp | undefined]> = new Map([
  ['all', ['all requests', undefined]],
  ['delivery', ['delivery calls', /^\/rest\/v1\/delivery$/]],
  ['artifact', ['downloads of the rules', /\/rules\.(?:json|bin)$/]],
  ['geo', ['look-ups of places', /^\/v1\/geo$/]],
]);

/** The page on which faults are switched on and off. */
export function faultsPage({ faults }: BenchEdge, fields: Fields, problem?: string): Page {
  const rows = faults.map(
    ({
      fault,
      hits,
      left,
      id,
    }) => html`<div class="head rule"><p>${wordsOf(fault)}, ${hits} ${hits === 1 ? 'hit' : 'hits'}${left !== undefined && `, ${left} left`}</p>
<form method="post" action="${BASE}faults"><input type="hidden" name="off" value="${id}"><button>Switch off ${wordsOf(fault)}</button></form></div>`,
  );
  const calls = [...CALLS].map(([name, [words]]) => [name, words] as const);
  return {
    name: 'faults',
    title: 'What if it fails?',
    lead: 'The edge plays a fault for the next requests, and you see what your pages do.',
    body: html`${problem !== undefined && notice(problem, 'no')}
<div class="split"><form method="post" action="${BASE}faults">
${choices('Fault', 'kind', KINDS, fields.kind ?? 'status')}
${textField('Status, or ms to wait', 'value', fields.value ?? '', '503')}
${textField('How often (empty: until it is switched off)', 'times', fields.times ?? '')}
${choices('For', 'where', calls, fields.where ?? 'all')}
<button class="main">Switch on</button></form>
<div class="card"><h2>Switched on</h2>${rows.length > 0 ? html`${rows}` : html`<p class="soft">None.</p>`}</div></div>`,
  };
}

/** Switches a fault on or off, as the form says. Returns what is wrong with it. */
export function changeFaults(edge: BenchEdge, fields: Fields): string | undefined {
  if (fields.off !== undefined) {
    edge.faults.find(({ id }) => String(id) === fields.off)?.clear();
    return undefined;
  }
  try {
    const times = fields.times ? Number(fields.times) : undefined;
    if (times !== undefined && !(Number.isInteger(times) && times > 0)) {
      return 'how often must be a whole number above 0';
    }
    const calls = CALLS.get(fields.where ?? 'all');
    if (!calls) {
      return `the requests must be ${[...CALLS.keys()].join(', ')}`;
    }
    const [, where] = calls;
    edge.addFault(toFault(fields), { ...(times !== undefined && { times }), ...(where && { where }) });
    return undefined;
  } catch (thrown) {
    return toError(thrown).message;
  }
}

function toFault({ kind, value }: Fields): Fault {
  const number = Number(value || (kind === 'delay' ? 1000 : 503));
  switch (kind) {
    case 'delay':
      if (!(number >= 0 && number <= 600_000)) {
        throw new TypeError('the wait must be from 0 to 600000 ms');
      }
      return { kind, ms: number };
    case 'hang':
    case 'stall':
    case 'reset':
    case 'resetMidBody':
    case 'truncate':
      return { kind };
    case 'status':
      return { kind, status: number };
    default:
      throw new TypeError(`the fault must be ${KINDS.map(([one]) => one).join(', ')}`);
  }
}

function wordsOf(fault: Fault): string {
  const words = KINDS.find(([kind]) => kind === fault.kind)?.[1] ?? fault.kind;
  return fault.kind === 'status'
    ? `status ${fault.status}`
    : fault.kind === 'delay'
      ? `${fault.ms} ms late`
      : words;
}
