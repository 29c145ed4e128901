import type { QAMode } from '../index.js';
import type { IncomingRequest } from './incoming-request.js';

export function toQaMode(incoming: IncomingRequest): QAMode | undefined {
  const token = /[?&]at_preview_token=([^&#]+)/.exec(incoming.url)?.[1];
  return token ? { token } : undefined;
}

export function isDisabled(incoming: IncomingRequest): boolean {
  return /[?&]mboxDisable\b/.test(incoming.url);
}
