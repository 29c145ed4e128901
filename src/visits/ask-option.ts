import { quietly } from '../call-safely.js';
import { messageOf } from '../errors.js';
import { isThenable } from '../json.js';
import type { Logger } from '../logger.js';

/**
 * Asks a function that the user gave as an option. An error that it throws is logged, and the answer is undefined. So is
 * the answer of an asynchronous function, because the visit cannot wait for it.
 */
export function askOption<Answer>(name: string, ask: () => Answer, logger: Logger): Answer | undefined {
  try {
    const answer = ask();
    if (!isThenable(answer)) {
      return answer;
    }
    quietly(() => answer);
    logger.warn(`the option ${name} of a visit is ignored: it must return its answer, not a promise of it`);
  } catch (thrown) {
    logger.warn(`the option ${name} of a visit failed: ${messageOf(thrown)}`);
  }
  return undefined;
}
