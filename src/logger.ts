import { type Level, type Line, LineLimit, type Write } from './log-limit.js';

/** Where the SDK may write. Missing methods are skipped; lines start with `AT:`. */
export interface LoggerOption {
  debug?(...line: unknown[]): void;
  info?(...line: unknown[]): void;
  warn?(...line: unknown[]): void;
  error?(...line: unknown[]): void;
  /** Whether debug lines may hold visitor ids, parameters and cookies; tokens never are in them. @default false */
  unsafe?: boolean | undefined;
}

/** The SDK's own logger: never throws, and builds a line only for a level that somebody listens to. */
export interface Logger {
  debug(line: Line): void;
  info(line: Line): void;
  /** Limited: each different line once in ten minutes, and few of them. So is `error`. */
  warn(line: Line): void;
  error(line: Line): void;
  /** Without a limit, for what has its own (log-limit.ts). */
  readonly write: Write;
  /** A JSON text of a request or an answer for debug lines, without the visitor's data unless `unsafe` was asked for. */
  show(value: unknown): string;
}

const PREFIX = 'AT:';
const REDACTED = '[redacted]';

/** Fields that hold what belongs to a visitor: ids, parameters, cookies, addresses, tokens, and traces of them. */
const PERSONAL = new Set([
  'id',
  'visitorId',
  'tntId',
  'thirdPartyId',
  'marketingCloudVisitorId',
  'customerIds',
  'sessionId',
  'parameters',
  'profileParameters',
  'order',
  'address',
  'geo',
  'ipAddress',
  'audienceManager',
  'supplementalDataId',
  'tokens',
  'eventToken',
  'trace',
  'state',
  'targetCookie',
  'visitorState',
]);

/** Fields that open something: the property, a preview, a trace. */
const SECRET = new Set(['token', 'authorizationToken']);

/** Wraps what the caller gave (an object, `null` or nothing) so that logging can never do harm. */
export function createLogger(option: LoggerOption | null | undefined): Logger {
  const write: Write = (level, line) => {
    try {
      if (typeof option?.[level] !== 'function') return;
      const result: unknown = option[level](`${PREFIX} ${textOf(line)}`);
      if (typeof result === 'object') Promise.resolve(result).catch(() => undefined);
    } catch {
      // A logger that throws must not break the call that wanted to log.
    }
  };
  const limited = (level: Level) => {
    const limit = new LineLimit((line) => write(level, line));
    return (line: Line) => {
      if (isHeard(option, level)) limit.say(textOf(line));
    };
  };
  return {
    debug: (line) => write('debug', line),
    info: (line) => write('info', line),
    warn: limited('warn'),
    error: limited('error'),
    write,
    show: (value) => JSON.stringify(value, option?.unsafe === true ? redactSecrets : redact),
  };
}

function isHeard(option: LoggerOption | null | undefined, level: Level): boolean {
  try {
    return typeof option?.[level] === 'function';
  } catch {
    return false;
  }
}

function textOf(line: Line): string {
  return typeof line === 'string' ? line : line();
}

function redact(key: string, value: unknown): unknown {
  // Response tokens are named after what they hold: `activity.name`, but also `profile.age` and `geo.city`.
  return PERSONAL.has(key) || /^(profile|geo|user)\./.test(key) ? REDACTED : redactSecrets(key, value);
}

function redactSecrets(key: string, value: unknown): unknown {
  return SECRET.has(key) ? REDACTED : value;
}
