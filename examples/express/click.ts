import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { readCookies, toSetCookieHeaders } from 'target-node-sdk/http';
import { cookieOptions, toContext } from './context.js';
import type { Target } from './target.js';

/** A click on an mbox's offer, by the token that came with the decision. */
export interface Click {
  readonly mbox: string;
  readonly token: string;
}

/** What became of a click. */
export interface Reported {
  readonly isReported: boolean;
  readonly setCookies: string[];
}

/** Sends the click of a request's body to Target as a notification. Never rejects. */
export async function reportClick({ client, organizationId }: Target, request: Request): Promise<Reported> {
  const click: unknown = request.body;
  if (!isClick(click)) {
    return { isReported: false, setCookies: [] };
  }
  const id = randomUUID();
  try {
    const answer = await client.sendNotifications({
      ...readCookies(request.headers.cookie, organizationId),
      request: {
        context: toContext(request, request.get('referer')),
        notifications: [
          { id, type: 'click', timestamp: Date.now(), mbox: { name: click.mbox }, tokens: [click.token] },
        ],
      },
    });
    // Target names the notifications that it took; one with a token that it does not know is missing.
    const isReported = answer.response.notifications?.some((notification) => notification.id === id) ?? false;
    return { isReported, setCookies: toSetCookieHeaders(answer, cookieOptions(request)) };
  } catch (error) {
    console.error(`a click was not reported: ${error}`);
    return { isReported: false, setCookies: [] };
  }
}

function isClick(value: unknown): value is Click {
  if (typeof value !== 'object' || value === null || !('mbox' in value && 'token' in value)) {
    return false;
  }
  return typeof value.mbox === 'string' && typeof value.token === 'string';
}
