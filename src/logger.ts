import { quietly } from './call-safely.js';
import { ownOf } from './inherited-names.js';
import { isObject, isRecord } from './json.js';
import { type Level, type Line, LineLimit, type Write } from './log-limit.js';

/** Where the SDK may write. Missing methods are skipped; lines start with `AT:`. */
export interface LoggerOption {
  debug?(...line: unknown[]): void;
  info?(...line: unknown[]): void;
  warn?(...line: unknown[]): void;
  error?(...line: unknown[]): void;
  /**
   * Whether debug lines show whole requests and answers, with the visitor's ids and parameters and the offers. Tokens
   * that open something (a property, a preview, a trace) are never in them. @default false
   */
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
  /** Writes a request or an answer as JSON for debug lines, without the visitor's data unless `unsafe` was asked for. */
  show(value: unknown): string;
}

const PREFIX = 'AT:';
const REDACTED = '[redacted]';

/** Parts of requests and answers whose fields are looked at one by one. */
const PARTS = new Set([
  'context',
  'experienceCloud',
  'analytics',
  'execute',
  'prefetch',
  'pageLoad',
  'mboxes',
  'views',
  'notifications',
  'mbox',
  'view',
  'options',
  'metrics',
]);

/** Fields of these parts that tell nothing of a visitor: what was asked, who answered, which experience was chosen. */
const FACTS = new Set([
  'requestId',
  'environmentId',
  'channel',
  'logging',
  'index',
  'name',
  'type',
  'status',
  'client',
  'edgeHost',
  'activity.id',
  'activity.name',
  'activity.decisioningMethod',
  'experience.id',
  'experience.name',
]);

/** Fields that open something: the property, a preview, a trace. */
const SECRET = new Set(['token', 'authorizationToken']);

/** Wraps what the caller gave (an object, `null` or nothing) so that logging can never do harm. */
export function createLogger(option: LoggerOption | null | undefined): Logger {
  const write: Write = (level, line) => {
    if (isHeard(option, level)) quietly(() => option?.[level]?.(`${PREFIX} ${textOf(line)}`));
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
    show: (value) =>
      ownOf(option)?.unsafe === true ? JSON.stringify(value, redactSecrets) : JSON.stringify(redact(value)),
  };
}

function isHeard(option: LoggerOption | null | undefined, level: Level): boolean {
  try {
    return typeof ownOf(option)?.[level] === 'function';
  } catch {
    return false;
  }
}

function textOf(line: Line): string {
  return typeof line === 'string' ? line : line();
}

/**
 * Copies the parts and facts that are listed. All other fields may hold anything, and not all fields of an answer are
 * known, so that the copy only tells that they are there.
 */
function redact(value: unknown): unknown {
  if (!isObject(value)) return REDACTED;
  if (Array.isArray(value)) return value.map(redact);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, redactField(name, field)]));
}

function redactField(name: string, field: unknown): unknown {
  if (name === 'responseTokens') return redactTokens(field);
  if (PARTS.has(name)) return redact(field);
  return FACTS.has(name) && typeof field !== 'object' ? field : REDACTED;
}

/** Response tokens may be called what an account likes: those with a dot are Target's own. */
function redactTokens(tokens: unknown): unknown {
  if (!isRecord(tokens)) return REDACTED;
  const shown = Object.entries(tokens).map(([name, token]) => [
    name,
    name.includes('.') ? redactField(name, token) : REDACTED,
  ]);
  return Object.fromEntries(shown);
}

function redactSecrets(key: string, value: unknown): unknown {
  return SECRET.has(key) ? REDACTED : value;
}
