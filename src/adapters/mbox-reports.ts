import type { ContentIssue, TargetClient, TargetDeliveryResponse } from '../index.js';

/** The parts of a client by which its user hears of mboxes that have their default. */
export type MboxReporter = TargetClient['forVisits'];

/** The maximum number of different lines of each kind that are remembered for a client. */
const MAX_REMEMBERED = 1000;

/** The lines that a client has logged already. */
interface Said {
  /** The mboxes and messages of offers that do not fit. */
  readonly invalid: Set<string>;
  /** The mboxes that the rules do not know. */
  readonly unknown: Set<string>;
}

/** Tells the users of clients why mboxes have their default. Each line is logged once for each client. */
export class MboxReports {
  readonly #saidByClient = new WeakMap<MboxReporter, Said>();

  /** Warns of offers that do not fit their schema, and raises an event for each of them. */
  noteInvalid(
    invalid: readonly { readonly mbox: string; readonly issues: readonly ContentIssue[] }[],
    client: MboxReporter,
  ): void {
    for (const { mbox, issues } of invalid) {
      for (const { message, path } of issues) {
        if (isNew(`${mbox}: ${message}`, this.#saidBy(client).invalid)) {
          const where = path === '' ? '' : `${path}: `;
          client.logger.warn(
            `mbox '${mbox}' has its default, because its offer is invalid: ${where}${message}`,
          );
        }
      }
      client.emit({ type: 'invalidContent', mbox, issues });
    }
  }

  /**
   * Tells of mboxes for which an on-device answer has nothing, because the rules have no activity of them. Such a name may
   * be misspelt. The line has the level debug, because the activity may also be one that only the edge decides.
   */
  noteUnknown(
    { values, answer }: { readonly values: object; readonly answer?: TargetDeliveryResponse },
    client: MboxReporter,
  ): void {
    if (answer?.decisioningMethod !== 'on-device') {
      return;
    }
    for (const mbox of answer.meta.remoteMboxes) {
      const isUnknown = Object.hasOwn(values, mbox) && !client.hasRules(mbox);
      if (isUnknown && isNew(mbox, this.#saidBy(client).unknown)) {
        client.logger.debug(
          () => `mbox '${mbox}' has its default, because the on-device rules have no activity of it`,
        );
      }
    }
  }

  #saidBy(client: MboxReporter): Said {
    const known = this.#saidByClient.get(client) ?? { invalid: new Set(), unknown: new Set() };
    this.#saidByClient.set(client, known);
    return known;
  }
}

/** Remembers a line, and tells whether it has not been logged yet. */
function isNew(line: string, said: Set<string>): boolean {
  if (said.has(line) || said.size >= MAX_REMEMBERED) {
    return false;
  }
  said.add(line);
  return true;
}
