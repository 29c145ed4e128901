import { randomUUID } from 'node:crypto';
import type { Visit } from 'target-node-sdk/http';

/** A click on an mbox's offer, by the token that came with the decision. */
export interface Click {
  readonly mbox: string;
  readonly token: string;
}

/**
 * Sends a click to Target as a notification, with the address of the page that it was made on. Resolves with whether
 * Target counted it, and never rejects.
 */
export async function reportClick(visit: Visit, click: unknown, page: string | undefined): Promise<boolean> {
  if (!isClick(click)) {
    return false;
  }
  const id = randomUUID();
  try {
    const { response } = await visit.sendNotifications({
      request: {
        context: { channel: 'web', address: { url: page, referringUrl: page } },
        notifications: [
          { id, type: 'click', timestamp: Date.now(), mbox: { name: click.mbox }, tokens: [click.token] },
        ],
      },
    });
    // Target names the notifications that it took; one with a token that it does not know is missing.
    return response.notifications?.some((notification) => notification.id === id) ?? false;
  } catch (error) {
    console.error(`a click was not reported: ${error}`);
    return false;
  }
}

function isClick(value: unknown): value is Click {
  if (typeof value !== 'object' || value === null || !('mbox' in value && 'token' in value)) {
    return false;
  }
  return typeof value.mbox === 'string' && typeof value.token === 'string';
}
