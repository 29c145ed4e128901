import { isRecord } from '../../json.js';
import type {
  ConditionResult,
  Explanation,
  LocationExplanation,
  Outcome,
  RuleExplanation,
} from '../../tools/explanation.js';
import { shownName } from '../../tools/rule-facts.js';
import { groupBy } from '../../tools/rule-index.js';
import { ruler } from './bars.js';
import { type Html, html } from './html.js';
import { pill } from './layout.js';

/** The words of an outcome and its colour, which says nothing that the words do not. */
const OUTCOMES: Readonly<Record<Outcome, readonly [words: string, kind: 'yes' | 'no' | 'warn' | '']>> = {
  answered: ['answered', 'yes'],
  'no-match': ['no match', 'no'],
  'not-reached': ['not reached', ''],
  'key-answered': ['its key answered', ''],
  'other-property': ['other property', ''],
  undecidable: ['only the edge', 'warn'],
};

/** A decision by more rules than these shows the conditions of those that answered alone. The others are folded. */
const MAX_OPEN = 20;

/** Shows a decision: the verdict and the offers, and then a card for each activity. */
export function explanationCards(explanation: Explanation): Html {
  const { visitor, answer, at } = explanation;
  const isLong = explanation.locations.flatMap(({ rules }) => rules).length > MAX_OPEN;
  const cards = explanation.locations.map((location) => {
    const { verdict, remote, answersWith, rules } = location;
    const [title = '', ...why] = verdict.startsWith('default content: ') ? verdict.split(': ') : [verdict];
    const search = answersWith === 'first' ? 'first rule that holds' : 'every rule that holds';
    const time = `${at.slice(0, 16).replace('T', ' ')} UTC`;
    const words = [...why.map(capital), search, `by ${visitor.by}`, time].join(' · ');
    const activities = [...groupBy(rules, ({ activity }) => activity.id).values()];
    return html`<div class="card"><h2>${capital(title)}</h2>
<p class="small soft">${words}</p>
${remote && html`<p class="note warn">${remote.text}</p>`}
${offers(answer, location)}
</div>
${activities.map((own) => activityCard(own, isLong))}`;
  });
  return html`${cards}`;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function activityCard(rules: readonly RuleExplanation[], isLong: boolean): Html {
  const { activity } = rules[0] ?? { activity: { id: '', name: '', type: '' } };
  const folds = rules.map((rule, index) => {
    const isOpen = rule.outcome === 'answered' || (rule.outcome === 'no-match' && !isLong);
    return ruleFold(rule, `${activity.id}/${index}`, isOpen);
  });
  return html`<section class="card"><div class="head"><h3>${shownName(activity)}</h3><span class="small soft">${activity.type} ${activity.id}</span></div>
${folds}</section>`;
}

function ruleFold(rule: RuleExplanation, key: string, isOpen: boolean): Html {
  const { experience, outcome, share, condition, because, wouldHold } = rule;
  const [words, kind] = OUTCOMES[outcome];
  const holds = wouldHold === undefined ? '' : wouldHold ? '; it would hold' : '; it would not hold';
  return html`<details class="rule" data-key="${key}"${isOpen && html` open`}><summary><span class="head"><span>${shownName(experience)} ${share && ruler(share)}</span>${pill(words, kind)}</span></summary>
${!isOpen && html`<p class="small soft">${because}${holds}</p>`}
${condition && tree(condition, key)}
</details>`;
}

/** Parts that are joined by “and” are rows of their own. What the engine did not look at is folded. */
function tree(condition: ConditionResult, key: string): Html {
  const parts = condition.op === 'and' && !condition.whole ? condition.operands : [condition];
  const seen = parts.filter(({ result }) => result !== undefined);
  const left = parts.filter(({ result }) => result === undefined);
  return html`<ul class="tree">${seen.map((part, at) => node(part, `${key}/${at}`))}
${left.length > 0 && html`<li><details data-key="${key}/more"><summary class="small soft">${left.length} more not evaluated</summary><ul class="tree">${left.map((part) => node(part, key))}</ul></details></li>`}</ul>`;
}

function node(part: ConditionResult, key: string): Html {
  const { result, text, whole, operands, op } = part;
  const [sign, words] =
    result === undefined ? ['·', 'not evaluated'] : result ? ['✓', 'holds'] : ['✗', 'does not hold'];
  const kind = result === undefined ? 'soft' : result ? 'yes' : 'no';
  const isTree = !whole && operands.length > 0;
  const label = isTree ? (op === 'or' ? 'any of these' : op === 'and' ? 'all of these' : text) : text;
  return html`<li><div class="head"><span><span class="sign ${kind}" role="img" aria-label="${words}">${sign}</span>${label}</span>${!isTree && result !== undefined && html`<span class="small soft">${saw(part)}</span>`}</div>
${isTree && html`<ul class="tree">${operands.map((one, at) => node(one, `${key}/${at}`))}</ul>`}</li>`;
}

function saw({ saw: seen }: ConditionResult): string {
  const [only] = seen;
  if (only && seen.length === 1) {
    return only.name === 'allocation' ? `allocation ${only.text}` : `saw ${only.text}`;
  }
  return seen.map(({ name, text }) => `${name} ${text}`).join(', ');
}

/** Offers are shown as text. An HTML offer also runs in a frame in which nothing is allowed. */
function offers(
  { execute, prefetch }: Explanation['answer'],
  { kind, name }: LocationExplanation,
): Html | undefined {
  const parts = execute ?? prefetch;
  const named =
    kind === 'view'
      ? (prefetch?.views ?? [])
      : [...(parts?.mboxes ?? []), ...(parts?.pageLoad ? [parts.pageLoad] : [])];
  const options = named
    .filter((one) => !('name' in one) || one.name === name)
    .flatMap((one) => one.options ?? []);
  if (options.length === 0) {
    return undefined;
  }
  const shown = options.map((option) => {
    const { type, content } = isRecord(option) ? option : {};
    const text = typeof content === 'string' ? content : (JSON.stringify(content, null, 2) ?? '');
    const frame =
      type === 'html' &&
      html`<iframe sandbox srcdoc="${text}" title="The offer in a frame without scripts"></iframe>`;
    return html`<p class="small soft">${typeof type === 'string' ? type : 'offer'}</p><pre tabindex="0">${text}</pre>${frame}`;
  });
  return html`${shown}`;
}
