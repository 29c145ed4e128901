/** A side of a scenario that does operations: what the worker can ask of it. */
import { comparable } from './compare.mjs';
import { measureOperations, settle, started } from './measure.mjs';

const ANSWERS = 24;

/**
 * @param {() => Promise<import('./measure.mjs').Operations>} start
 * @returns {import('./scenarios/index.mjs').Side}
 */
export function operations(start) {
  return {
    answers: async () => {
      const running = await started(start);
      const answers = [];
      for (let index = 0; index < ANSWERS; index++) {
        answers.push(await answerOf(running, index));
      }
      return answers;
    },
    measure: async (run) => measureOperations(await started(start), run),
  };
}

/** The result of one operation and the notifications that it sent. */
async function answerOf({ operation, sink, owed = 0 }, index) {
  if (!sink) {
    return { result: comparable(await operation(index)) };
  }
  sink.calls = 0;
  sink.kept = [];
  const result = comparable(await operation(index));
  await settle({ sink, owed }, 1);
  return { result, notifications: comparable(sink.kept.map((body) => JSON.parse(body))) };
}
