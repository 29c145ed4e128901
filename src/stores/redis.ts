/**
 * A store that the processes of a fleet share, on Redis or Valkey. Give it to the option `artifactStore`. It takes a
 * client of `redis`, `ioredis` or `@valkey/valkey-glide` that you have, and imports none of them.
 *
 * @packageDocumentation
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { invalidOption, TargetError } from '../errors.js';
import type { OfferedArtifact, OfferResult, SharedArtifact, SharedArtifactStore } from '../index.js';
import { type Command, isWrongType, type RedisLike, toCommand } from './redis-commands.js';
import { confirmScript, offerScript, peekScript, readScript } from './redis-scripts.js';
import { type Signatures, toSignatures } from './signatures.js';
import { toMs, toOptions } from './store-options.js';

export type {
  GlideLike,
  IoredisLike,
  NodeRedisClusterLike,
  NodeRedisLike,
  NodeRedisSentinelLike,
  RedisLike,
} from './redis-commands.js';

/** The options of {@link redisArtifactStore}. */
export interface RedisArtifactStoreOptions {
  /** The beginning of all keys of the store. @default 'target:' */
  readonly prefix?: string | undefined;
  /**
   * The secret by which processes sign what they store, by HMAC-SHA-256. In a list, the first secret signs, and all
   * verify: put a new one first when all processes know it. Without a secret, whoever can write to Redis can put HTML
   * into your pages.
   * @default none, with a warning of the process
   */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * The time in ms after which all processes change to a new version. With 0, each one changes as soon as it has it.
   * @default 5000
   */
  readonly activationDelay?: number | undefined;
  /** The time in ms between two looks of a process at the store, at least 100. @default 1000 */
  readonly pollingInterval?: number | undefined;
  /** The time in ms after which the artifact is deleted when nobody confirms it. @default 604800000 (7 days) */
  readonly ttl?: number | undefined;
}

const OPTIONS = ['prefix', 'secret', 'activationDelay', 'pollingInterval', 'ttl'] as const;
/** Longest artifact after decoding. */
const MAX_BYTES = 32 * 1024 * 1024;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const ENCODING = 'br64';
const ID = /^[0-9a-f]{16}$/;
/** The key of a ticket that is not the one to ask the CDN. */
const TICKET = /^(.*):(heal|probe)$/s;
const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
let hasWarned = false;

/**
 * Makes a store on a client of Redis or Valkey. Use one store for each region. The artifact is compressed, and signed
 * with the secret. The client of Redis stays yours: connect it, listen to its errors, and close it after the Target
 * client. Redis 6 or Valkey 7, or a later version, is needed.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option is wrong.
 * @example
 * ```ts
 * const redis = new Redis('rediss://cache.example.com');
 * const artifactStore = redisArtifactStore(redis, { secret: process.env.TARGET_STORE_SECRET });
 * ```
 */
export function redisArtifactStore(
  client: RedisLike,
  options: RedisArtifactStoreOptions = {},
): SharedArtifactStore {
  const { prefix = 'target:', secret, activationDelay, pollingInterval, ttl } = toOptions(options, OPTIONS);
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
    throw invalidOption('prefix', 'a text without braces', prefix);
  }
  const secrets = toSecrets(secret);
  const delayMs = toMs('activationDelay', activationDelay, { standard: 5000, least: 0 });
  const pollingIntervalMs = toMs('pollingInterval', pollingInterval, { standard: 1000, least: 100 });
  const store = new RedisStore(toCommand(client), {
    prefix,
    delayMs,
    ttlMs: toMs('ttl', ttl, { standard: WEEK_MS, least: 1000 }),
    signatures: toSignatures(secrets),
  });
  if (secrets.length === 0) {
    warnOnce();
  }
  return {
    pollingIntervalMs,
    activationDelayMs: delayMs,
    peek: (key) => store.peek(key).catch(rethrow),
    read: (key) => store.read(key).catch(rethrow),
    offer: (key, artifact) => store.offer(key, artifact).catch(rethrow),
    confirm: (key, id) => store.confirm(key, id).catch(rethrow),
    claim: (key, ttlMs) => store.claim(key, ttlMs),
  };
}

interface StoreSettings {
  readonly prefix: string;
  readonly delayMs: number;
  readonly ttlMs: number;
  readonly signatures: Signatures;
}

/** The commands of the store. */
class RedisStore {
  readonly #command: Command;
  readonly #settings: StoreSettings;
  /** The id of the version of each key whose moment is over. */
  readonly #active = new Map<string, string>();

  constructor(command: Command, settings: StoreSettings) {
    this.#command = command;
    this.#settings = settings;
  }

  async peek(key: string) {
    const name = this.#nameOf(key, 'artifact');
    const activeId = this.#active.get(name);
    if (activeId !== undefined) {
      const [id, seen] = toFields(await this.#command(name, ['HMGET', name, 'id', 'seen']));
      if (id === '' || id === activeId) {
        return id === '' ? undefined : { id, seen };
      }
    }
    // A script costs the server more than a command, so it is asked for the moment only while that is to come.
    const [id, seen, activeInMs] = toFields(await peekScript(this.#command, name));
    if (id === '') {
      return undefined;
    }
    if (activeInMs === '0') {
      this.#active.set(name, id);
    }
    return { id, seen, activeInMs: Number(activeInMs) };
  }

  async read(key: string): Promise<SharedArtifact | undefined> {
    const fields = toFields(await readScript(this.#command, this.#nameOf(key, 'artifact')));
    const answeredMs = performance.now();
    const [id, order, forced, etag, bytes, encoding, signature, body, activeInMs, seenMsAgo] = fields;
    if (id === '') {
      return undefined;
    }
    const text = await decode(body, { encoding, bytes });
    const artifact = {
      ...{ text, id, isForced: forced === '1' },
      order: order === '' ? undefined : Number(order),
      etag: etag === '' ? undefined : etag,
    };
    if (!this.#settings.signatures.verify(key, artifact, signature)) {
      throw damaged('has a wrong signature');
    }
    // Decoding takes time, by which the moment has come nearer.
    const tookMs = performance.now() - answeredMs;
    const leftMs = Math.max(0, Number(activeInMs) - tookMs);
    return { ...artifact, activeInMs: leftMs, seenMsAgo: Number(seenMsAgo) + tookMs };
  }

  async offer(key: string, artifact: OfferedArtifact): Promise<OfferResult> {
    const { text, id, order, etag, isForced } = artifact;
    if (!ID.test(id)) {
      throw damaged('has a wrong id');
    }
    const { signatures, ttlMs, delayMs } = this.#settings;
    const facts = [id, order === undefined ? '' : String(order), isForced ? '1' : '0'];
    const times = [ttlMs, delayMs].map((ms) => String(Math.round(ms)));
    const bytes = String(Buffer.byteLength(text));
    const args = [...facts, ...times, etag ?? '', bytes, ENCODING, signatures.sign(key, artifact)];
    const body = await encode(text);
    const answer = await offerScript(this.#command, this.#nameOf(key, 'artifact'), [...args, body]);
    const [verdict, held, activeInMs] = toFields(answer);
    if (verdict !== 'taken' && verdict !== 'same' && verdict !== 'older') {
      throw damaged('got no verdict');
    }
    return { verdict, id: held, activeInMs: Number(activeInMs) };
  }

  async confirm(key: string, id: string): Promise<boolean> {
    const args = [id, String(Math.round(this.#settings.ttlMs))];
    return Number(await confirmScript(this.#command, this.#nameOf(key, 'artifact'), args)) === 1;
  }

  async claim(key: string, ttlMs: number): Promise<boolean> {
    const [, url = key, kind = 'poll'] = TICKET.exec(key) ?? [];
    const name = this.#nameOf(url, kind);
    const args = ['SET', name, '1', 'NX', 'PX', String(Math.max(1, Math.round(ttlMs)))];
    return String(await this.#command(name, args)) === 'OK';
  }

  /** All keys of an artifact are in one slot of a cluster, because of the braces. */
  #nameOf(key: string, kind: string): string {
    return `${this.#settings.prefix}{${encodeURIComponent(key)}}:${kind}`;
  }
}

/** The ten texts that a script can return. */
type Fields = [string, string, string, string, string, string, string, string, string, string];

/** Reads a list of texts. Absent values are empty, and libraries give numbers as numbers or as texts. */
function toFields(answer: unknown): Fields {
  const [a, b, c, d, e, f, g, h, i, j] = Array.isArray(answer) ? answer.map(toField) : [];
  return [
    ...([a ?? '', b ?? '', c ?? '', d ?? '', e ?? ''] as const),
    ...([f ?? '', g ?? '', h ?? '', i ?? '', j ?? ''] as const),
  ];
}

function toField(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

async function encode(text: string): Promise<string> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 4 };
  return (await compress(text, { params })).toString('base64');
}

/** Decodes a body. It may be made to fill the memory, so its decoded length is limited. */
async function decode(body: string, { encoding, bytes }: { encoding: string; bytes: string }) {
  if (encoding !== ENCODING) {
    throw damaged('has an unknown encoding');
  }
  let decoded: Buffer;
  try {
    decoded = await decompress(Buffer.from(body, 'base64'), { maxOutputLength: MAX_BYTES });
  } catch {
    throw damaged('cannot be decoded');
  }
  if (String(decoded.length) !== bytes) {
    throw damaged('has a wrong length');
  }
  return decoded.toString('utf8');
}

function toSecrets(written: unknown): readonly string[] {
  const secrets: readonly unknown[] = written === undefined ? [] : [written].flat();
  if (secrets.every((secret): secret is string => typeof secret === 'string' && secret !== '')) {
    return secrets;
  }
  // The error does not show what came, because it may be most of a secret.
  throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'secret must be a non-empty text, or a list of them', {
    path: 'secret',
  });
}

function warnOnce(): void {
  if (!hasWarned) {
    hasWarned = true;
    process.emitWarning(
      'redisArtifactStore has no secret: whoever can write to Redis can put HTML into your pages. Set the option secret.',
      { code: 'TARGET_UNSIGNED_STORE' },
    );
  }
}

function damaged(why: string): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact in Redis ${why}`);
}

/** A key of another type counts as damage, so that one process replaces it. */
function rethrow(error: unknown): never {
  throw isWrongType(error) ? damaged('is of another type') : error;
}
