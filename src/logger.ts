import { quietly } from './call-safely.js';
import { ownOf } from './inherited-names.js';
import { isObject, isRecord } from './json.js';
import { type Level, type Line, LineLimit, type Write } from './log-limit.js';

/**
 * A logger for the option `logger` of `TargetClient.create`, such as `console`. All methods are optional: lines of a
 * level without a method are not written. Each line starts with `AT:`. An error that a method throws harms nothing.
 *
 * Each different warning or error is written once in ten minutes. At most 20 different lines of a level are written in
 * that time.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/logger
 * @example
 * ```ts
 * TargetClient.create({ client, organizationId, logger: { warn: console.warn, error: console.error } });
 * ```
 */
export interface LoggerOption {
  /** Writes details, such as requests and answers without visitors' data. */
  debug?(...line: unknown[]): void;
  /** Writes good news, such as the end of a fault. */
  info?(...line: unknown[]): void;
  /** Writes a problem that the client has worked around, such as an unknown option or a failed download. */
  warn?(...line: unknown[]): void;
  /** Writes an error that no caller gets, such as one that a listener threw. */
  error?(...line: unknown[]): void;
  /**
   * True when debug lines show whole requests and answers, with the visitor's ids, the parameters and the offers.
   * Tokens that give access to something (a property, a preview, a trace) are never shown.
   * @default false
   */
  unsafe?: boolean | undefined;
}

/**
 * The SDK's own logger. It never throws, and it builds a line only when the user's logger has a method for its level.
 */
export interface Logger {
  /** Writes a debug line. */
  debug(line: Line): void;
  /** Writes an info line. */
  info(line: Line): void;
  /** Writes a warning, within the limits of {@link LineLimit}. */
  warn(line: Line): void;
  /** Writes an error line, within the limits of {@link LineLimit}. */
  error(line: Line): void;
  /** Writes a line of any level without a limit. Callers limit their lines themselves, as {@link FaultLog} does. */
  readonly write: Write;
  /** Returns a request or an answer as JSON for a debug line. A visitor's data are left out unless `unsafe` is true. */
  show(value: unknown): string;
}

const PREFIX = 'AT:';
const REDACTED = '[redacted]';

/** Parts of requests and answers that are shown field by field. */
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

/**
 * Fields of these parts that hold no data of a visitor, such as the names of mboxes, the edge host and the experience.
 */
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

/** Fields that give access to something: a property, a preview or a trace. They are never shown. */
const SECRET = new Set(['token', 'authorizationToken']);

/** Makes the SDK's logger from the `logger` option, which may be absent. Errors of the user's logger are ignored. */
export function createLogger(option: LoggerOption | null | undefined): Logger {
  const write: Write = (level, line) => {
    if (isHeard(option, level)) {
      quietly(() => option?.[level]?.(`${PREFIX} ${textOf(line)}`));
    }
  };
  const limited = (level: Level) => {
    const limit = new LineLimit((line) => write(level, line));
    return (line: Line) => {
      if (isHeard(option, level)) {
        limit.say(textOf(line));
      }
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
 * Copies the listed parts and facts of a value. Other fields may hold any data, and not all fields of an answer are
 * known. For them, the copy shows only that they exist.
 */
function redact(value: unknown): unknown {
  if (!isObject(value)) {
    return REDACTED;
  }
  if (Array.isArray(value)) {
    return value.map(redact);
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, redactField(name, field)]));
}

function redactField(name: string, field: unknown): unknown {
  if (name === 'responseTokens') {
    return redactTokens(field);
  }
  if (PARTS.has(name)) {
    return redact(field);
  }
  return FACTS.has(name) && typeof field !== 'object' ? field : REDACTED;
}

/**
 * Copies response tokens. An account can give its own tokens any name. Only names with a dot are Target's own.
 * @see https://experienceleague.adobe.com/en/docs/target/using/administer/response-tokens
 */
function redactTokens(tokens: unknown): unknown {
  if (!isRecord(tokens)) {
    return REDACTED;
  }
  const shown = Object.entries(tokens).map(([name, token]) => [
    name,
    name.includes('.') ? redactField(name, token) : REDACTED,
  ]);
  return Object.fromEntries(shown);
}

function redactSecrets(key: string, value: unknown): unknown {
  return SECRET.has(key) ? REDACTED : value;
}
