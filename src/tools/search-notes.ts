import type { RequestDetails } from '../delivery-api.js';
import type { LocationContext } from '../on-device/facts/context.js';
import type { Watch } from '../on-device/rules/condition.js';
import type { CompiledLocation, CompiledRule } from '../on-device/rules/location.js';
import type { SearchRecorder, TraceMode } from '../on-device/trace.js';
import type { ConditionValues } from './condition-result.js';

/** Keeps the values of the parts of a condition while it is evaluated. */
export class ConditionWatch {
  #values = new Map<unknown, unknown>();

  /** Is given to the compiler. The functions of iterations run once for each element, so their parts are not kept. */
  readonly watch: Watch = (written, run, inner) => {
    if (inner || typeof written !== 'object' || written === null) {
      return run;
    }
    return (data) => {
      // A part that throws makes the whole condition fail. It and the parts around it keep this value.
      let value: unknown = false;
      try {
        value = run(data);
      } finally {
        this.#values.set(written, value);
      }
      return value;
    };
  };

  /** Returns the values since the last call. */
  take(): ConditionValues {
    const taken = this.#values;
    this.#values = new Map();
    return taken;
  }
}

/** One evaluation of a rule's condition. */
export interface Evaluated {
  readonly holds: boolean;
  readonly values: ConditionValues;
  readonly allocation: number;
}

/** The search of one location, as the engine told of it. */
export interface NotedLocation {
  readonly mode: TraceMode;
  readonly location: CompiledLocation;
  readonly request: RequestDetails;
  readonly context: LocationContext;
  readonly asked: ReadonlyMap<CompiledRule, Evaluated>;
}

interface OpenLocation extends NotedLocation {
  readonly asked: Map<CompiledRule, Evaluated>;
}

/** Writes down what the engine asks while it decides. */
export class SearchNotes {
  readonly #watch: ConditionWatch;
  readonly #locations: OpenLocation[] = [];
  #previous: CompiledRule | undefined;

  constructor(watch: ConditionWatch) {
    this.#watch = watch;
  }

  get locations(): readonly NotedLocation[] {
    return this.#locations;
  }

  readonly recorder = (mode: TraceMode): SearchRecorder => ({
    noteLocation: (location, request, context) => {
      this.#watch.take();
      this.#previous = undefined;
      this.#locations.push({ mode, location, request, context, asked: new Map() });
    },
    noteRule: (rule, holds, { allocation }) => {
      const asked = this.#locations.at(-1)?.asked;
      const previous = this.#previous;
      // The engine asks neighbours with one condition of one activity once.
      const isRepeated =
        previous?.condition === rule.condition && previous?.activity === rule.activity && previous;
      const values = this.#watch.take();
      const repeated = isRepeated ? asked?.get(isRepeated)?.values : undefined;
      asked?.set(rule, { holds, values: repeated ?? values, allocation });
      this.#previous = rule;
    },
    noteAnswer: () => {},
    draft: () => undefined,
  });
}

/** Evaluates a rule that the engine did not ask, on the facts of its location. */
export function evaluateAfterwards(
  rule: CompiledRule,
  context: LocationContext,
  watch: ConditionWatch,
): Evaluated | undefined {
  const { condition, activity } = rule;
  if (!condition) {
    return undefined;
  }
  watch.take();
  context.fill(condition.reads, activity);
  const holds = condition.holds(context);
  return { holds, values: watch.take(), allocation: context.allocation };
}
