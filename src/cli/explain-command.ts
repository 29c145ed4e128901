import {
  type ConditionResult,
  type Explanation,
  explain,
  type LocationExplanation,
  type RuleExplanation,
} from 'target-node-sdk/tools';
import { type DecisionFlags, toExplainOptions } from './call-options.js';
import { Paper, type Tone } from './paper.js';
import { readArtifactObject } from './read-artifact.js';
import { EXIT, type ExitCode, type Shell } from './shell.js';
import { counted, titleOf } from './titles.js';

const OUTCOMES: Readonly<Record<RuleExplanation['outcome'], string>> = {
  answered: 'answered',
  'no-match': 'no match',
  'not-reached': 'not reached',
  'key-answered': 'its key answered',
  'other-property': 'other property',
  undecidable: 'only the edge can decide',
};

/** Prints why a visitor gets an offer. A location that only the edge can answer is a finding. */
export async function explainCommand(source: string, flags: DecisionFlags, shell: Shell): Promise<ExitCode> {
  const options = await toExplainOptions(flags, shell);
  const explanation = explain(await readArtifactObject(source, flags, shell), options);
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(explanation);
  } else {
    print(explanation, paper);
  }
  return explanation.locations.some(({ remote }) => remote) ? EXIT.finding : EXIT.fine;
}

function print(explanation: Explanation, paper: Paper): void {
  explanation.locations.forEach((location, index) => {
    if (index > 0) {
      paper.gap();
    }
    printLocation(location, explanation, paper);
  });
}

function printLocation(location: LocationExplanation, { visitor, at }: Explanation, paper: Paper): void {
  const { kind, name, mode, answersWith, verdict, remote, rules } = location;
  const asks = answersWith === 'first' ? 'the first rule that holds' : 'every rule that holds';
  const how = mode === 'prefetch' ? `${asks}, prefetched` : asks;
  const minute = `${at.slice(0, 16).replace('T', ' ')} UTC`;
  const by = visitor.isNew ? 'a new visitor' : `by ${visitor.by}`;
  paper.row({ left: `${kind} ${name}  ${how}`, right: `${by}, ${minute}`, tone: 'title' });
  const isAnswered = rules.some(({ outcome }) => outcome === 'answered');
  paper.row({ sign: '→', left: verdict, tone: isAnswered ? 'yes' : remote ? 'warn' : undefined });
  if (remote) {
    paper.row({ sign: '!', left: remote.text, tone: 'warn' });
  }
  let previous: RuleExplanation['activity'] | undefined;
  for (const [rule, ...equal] of runsOf(rules)) {
    const { activity } = rule;
    if (previous?.id !== activity.id || previous.name !== activity.name) {
      paper.gap();
      paper.row({
        left: titleOf(activity),
        right: `${activity.type} ${activity.id}`,
        isName: true,
        tone: 'title',
      });
    }
    previous = activity;
    printRule(rule, 1 + equal.length, paper);
  }
}

type RunOfRules = [RuleExplanation, ...RuleExplanation[]];

/** Puts neighbours together of which everything that is printed is equal. A page load has many of them. */
function runsOf(rules: readonly RuleExplanation[]): RunOfRules[] {
  const runs: RunOfRules[] = [];
  let previous = '';
  for (const rule of rules) {
    const { activity, experience, outcome, wouldHold, because, condition } = rule;
    const text = JSON.stringify([activity, experience, outcome, wouldHold, because, condition]);
    const last = runs.at(-1);
    if (last && text === previous) {
      last.push(rule);
    } else {
      runs.push([rule]);
    }
    previous = text;
  }
  return runs;
}

function printRule(rule: RuleExplanation, count: number, paper: Paper): void {
  const { experience, outcome, wouldHold, condition, because } = rule;
  const hint = wouldHold === undefined ? '' : `, would ${wouldHold ? 'hold' : 'not hold'}`;
  const { sign, tone } = signOf(outcome === 'answered' || (outcome === 'no-match' ? false : undefined));
  paper.row({
    ...{ indent: 2, sign, tone, isName: true },
    left: titleOf(experience),
    right: `${OUTCOMES[outcome]}${hint}${count > 1 ? `, ${counted(count, 'rule')}` : ''}`,
  });
  if (outcome === 'undecidable') {
    paper.row({ indent: 4, sign: '!', left: because, tone: 'warn' });
  }
  if (condition && (outcome === 'answered' || outcome === 'no-match')) {
    const isList = condition.op === 'and' && !condition.whole && condition.operands.length > 0;
    printConditions(isList ? condition.operands : [condition], 4, paper);
  }
}

function printConditions(conditions: readonly ConditionResult[], indent: number, paper: Paper): void {
  const end = conditions.findLastIndex(({ result }) => result !== undefined) + 1;
  for (const condition of conditions.slice(0, end)) {
    printCondition(condition, indent, paper);
  }
  const left = conditions.length - end;
  if (left > 0) {
    paper.row({ indent, sign: '·', left: `${left}${end > 0 ? ' more' : ''} not evaluated`, tone: 'soft' });
  }
}

function printCondition(condition: ConditionResult, indent: number, paper: Paper): void {
  const { op, text, whole, result, saw, operands } = condition;
  const { sign, tone } = signOf(result);
  const [only] = saw;
  const isTree = !whole && operands.length > 0;
  if (isTree) {
    const title = op === 'or' ? 'any of these' : op === 'and' ? 'all of these' : 'not this';
    paper.row({ indent, sign, tone, left: title });
    printConditions(operands, indent + 2, paper);
    return;
  }
  const words =
    saw.length === 1 && only
      ? only.name === 'allocation'
        ? `allocation ${only.text}`
        : `saw ${only.text}`
      : saw.map((one) => `${one.name} ${one.text}`).join(', ');
  paper.row({ indent, sign, tone, left: text, right: words });
}

function signOf(result: boolean | undefined): { readonly sign: string; readonly tone: Tone } {
  if (result === undefined) {
    return { sign: '·', tone: 'soft' };
  }
  return result ? { sign: '✓', tone: 'yes' } : { sign: '✗', tone: 'no' };
}
