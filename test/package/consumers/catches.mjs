import { deepEqual, equal } from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { TargetError } from 'target-node-sdk';

class OwnError extends TargetError {}

/** Recognises the errors of the copy in another bundle, whose file the program is given. */
async function main() {
  const other = await import(pathToFileURL(process.argv[2]).href);
  const { raised, own, ...classes } = await other.raise();
  equal(classes.TargetError === TargetError, false, 'there is only one copy');
  equal(raised.code, 'ERR_TARGET_INVALID_REQUEST');
  const here = new OwnError('ERR_TARGET_CLOSED', 'own');
  const isOf = (kind) => [raised, own, here].map((error) => error instanceof kind);
  deepEqual(isOf(TargetError), [true, true, true]);
  deepEqual(isOf(classes.TargetError), [true, true, true]);
  deepEqual(isOf(OwnError), [false, false, true]);
  deepEqual(isOf(classes.OwnError), [false, true, false]);
  equal(new TypeError('no') instanceof TargetError, false);
  console.log('recognised');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
