import { TargetError } from 'target-node-sdk';
import { createNextTarget } from 'target-node-sdk/next';

/** What each bundle of a program of Next.js has: the file with the target, and the class of errors. */
export function load(config) {
  return { TargetError, target: createNextTarget({ client: config }) };
}
