import { nameOf } from '../../errors.js';
import { isObject } from '../../json.js';

/** The form of a system error's code (https://nodejs.org/api/errors.html#common-system-errors). */
const SYSTEM_CODE = /^E[A-Z0-9]{2,15}$/;
/**
 * Words with which Redis and Valkey begin an error (https://redis.io/docs/latest/develop/reference/protocol-spec/). Redis
 * 6 writes the place in a script in front of the word.
 */
const REDIS_WORD =
  /^(?:ERR Error running script [^:]*: @user_script:\d+: ?-?)?(NOAUTH|WRONGPASS|OOM|READONLY|WRONGTYPE|LOADING|MASTERDOWN|CLUSTERDOWN|NOPERM|MISCONF|BUSY|TRYAGAIN|NOSCRIPT)(?![\w$.-])/;

/**
 * Names the fault of a store, such as `EACCES` or `ReplyError NOAUTH`. Beside the error's name it has only a code or a
 * word that is known, because a message may hold the URL of the store with a password.
 */
export function faultNameOf(thrown: unknown): string {
  const name = nameOf(thrown);
  const detail = detailOf(thrown) ?? detailOf(fieldOf(thrown, 'cause'));
  if (detail === undefined) {
    return name;
  }
  return name === 'Error' ? detail : `${name} ${detail}`;
}

function detailOf(thrown: unknown): string | undefined {
  const code = fieldOf(thrown, 'code');
  if (typeof code === 'string' && SYSTEM_CODE.test(code)) {
    return code;
  }
  const message = fieldOf(thrown, 'message');
  return typeof message === 'string' ? REDIS_WORD.exec(message)?.[1] : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  try {
    return isObject(value) ? Reflect.get(value, field) : undefined;
  } catch {
    // The field has a getter that throws.
    return undefined;
  }
}
