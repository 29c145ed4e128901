import { inspect } from 'node:util';
import { EVENT_NAMES } from '../src/events.js';
import type { TargetClientConfig, TargetEvents } from '../src/index.js';

/** What belongs to a visitor, each so that it is found wherever a piece of it goes. */
export const VISITOR = {
  session: 'cnrySession',
  tntId: 'cnryTnt.35_0',
  ecid: '31415926535897932384626433832795028841',
  blob: 'cnryBlob',
  thirdPartyId: 'cnryThirdParty',
  customerId: 'cnryCustomer',
  number: 8_675_309_424_242,
  parameter: 'cnryParameter',
  profile: 'cnryProfile',
  order: 'cnryOrder',
  url: 'https://cnry-url.example/cnryPath?cnryQuery',
  ip: '203.0.113.77',
  city: 'cnryCity',
  sdid: 'cnrySdid'.padEnd(33, '0'),
  eventToken: 'cnryEventToken',
  state: 'cnryState',
} as const;

/** What opens something. */
export const SECRET = {
  property: 'scrtProperty',
  preview: 'scrtPreview',
  qaMode: 'scrtQaMode',
  trace: 'scrtTrace',
  key: 'scrtKey',
  password: 'scrtPassword',
  /** As long as the key of a binary artifact. */
  binaryKey: 'scrtBinary'.padEnd(32, '0'),
} as const;

const ANY = /cnry|scrt|31415926|8675309|203\.0\.113/;
const SECRETS = /scrt/;

/** Where the visitor's own data, or the place of the artifact, is by contract, and why. */
export const BY_CONTRACT: readonly {
  readonly where: RegExp;
  readonly why: string;
  /** What must not be there either. */
  readonly but?: RegExp;
}[] = [
  {
    where: /^ERR_TARGET_(RESPONSE|INVALID_RESPONSE|ARTIFACT)\.body$/,
    why: 'what was answered instead of an answer, to find out who answered',
    but: /scrtBinary/,
  },
  {
    where: /^(sendNotificationError|artifactDownloadFailed|geoLocationUpdated)\.error\.body$/,
    why: 'the same, of what the event is about',
    but: /scrtBinary/,
  },
  { where: /^sendNotificationError\.notification\b/, why: 'for its owner to send it again' },
  { where: /^geoLocationUpdated\.geoContext\b/, why: 'the address that was looked up, and its place' },
  { where: /^artifactDownload\w+\.artifactLocation$/, why: 'the URL as it was configured' },
  { where: /^artifactDownloadSucceeded\.artifactPayload\b/, why: 'the rules, which name their properties' },
];

/** Everything that a client said besides its answers. */
export class Watch {
  readonly #leaks: string[] = [];
  readonly #contracts = new Set<RegExp>();
  readonly #codes = new Set<unknown>();
  readonly #eventNames = new Set<string>();
  #lines = 0;
  #errors = 0;
  #events = 0;

  /** Logger and listeners, for a client's config. */
  config(unsafe = false): Pick<TargetClientConfig, 'logger' | 'events'> {
    const at = (level: string, wanted: RegExp) => (line: unknown) => {
      this.#lines += 1;
      this.#seek(String(line), `${level} line`, wanted);
    };
    return {
      logger: {
        debug: at('debug', unsafe ? SECRETS : ANY),
        info: at('info', ANY),
        warn: at('warn', ANY),
        error: at('error', ANY),
        unsafe,
      },
      events: Object.fromEntries(
        EVENT_NAMES.map((name) => [name, (event: TargetEvents[typeof name]) => this.event(event)]),
      ),
    };
  }

  event(event: TargetEvents[keyof TargetEvents]): void {
    this.#events += 1;
    this.#eventNames.add(event.type);
    this.#walk(event, event.type);
    if ('error' in event && event.error) {
      this.#print(event.error, `${event.type}.error`);
    }
  }

  error(error: unknown): void {
    this.#errors += 1;
    const { code } = error as { code?: unknown };
    this.#codes.add(code);
    this.#walk(error, String(code));
    this.#print(error, String(code));
  }

  /** Waits for what most likely fails, and looks at what it fails of. */
  async of(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.error(error);
    }
  }

  /** Where something was found that must not be there. */
  get leaks(): readonly string[] {
    return [...new Set(this.#leaks)];
  }

  /** The codes of the errors that were looked at, and the names of the events. */
  get kinds(): { readonly codes: ReadonlySet<unknown>; readonly events: ReadonlySet<string> } {
    return { codes: this.#codes, events: this.#eventNames };
  }

  /** How much was looked at. */
  get seen(): { readonly lines: number; readonly errors: number; readonly events: number } {
    return { lines: this.#lines, errors: this.#errors, events: this.#events };
  }

  /** Which of {@link BY_CONTRACT} was made use of. */
  get contracts(): ReadonlySet<RegExp> {
    return this.#contracts;
  }

  /** Every own field, the hidden ones too, with causes, lists of errors, bytes and whatever else hangs on it. */
  #walk(value: unknown, path: string, above: readonly unknown[] = []): void {
    if (typeof value === 'string' || typeof value === 'number' || ArrayBuffer.isView(value)) {
      this.#seek(toText(value), path, ANY);
      return;
    }
    if (typeof value !== 'object' || value === null || above.includes(value) || above.length > 12) {
      return;
    }
    const inner = [...above, value];
    for (const name of Reflect.ownKeys(value)) {
      this.#seek(String(name), `${path} (name)`, ANY);
      this.#walk(Reflect.get(value, name), `${path}.${String(name)}`, inner);
    }
    if (value instanceof Map || value instanceof Set) {
      this.#walk([...value], `${path} (items)`, inner);
    }
  }

  /** As it would be printed, copied or sent, by people and by machines. */
  #print(error: unknown, path: string): void {
    const options = { depth: 12, breakLength: Number.POSITIVE_INFINITY, maxStringLength: null };
    const { stack } = error as Error;
    const texts = {
      'as a text': `${error} ${stack}`,
      inspected: inspect(error, options),
      'inspected with what is hidden': inspect(error, { ...options, showHidden: true }),
      'as JSON': JSON.stringify([{ error }]),
      'as JSON of all names': JSON.stringify(error, Object.getOwnPropertyNames(error)),
      spread: inspect({ ...(error as object) }, options),
      cloned: inspect(structuredClone(error), { ...options, showHidden: true }),
    };
    for (const [how, text] of Object.entries(texts)) {
      this.#seek(text, `${path} (${how})`, ANY);
    }
  }

  #seek(text: string, path: string, wanted: RegExp): void {
    const found = wanted.exec(text);
    if (!found) {
      return;
    }
    const contract = BY_CONTRACT.find(({ where, but }) => where.test(path) && !but?.test(text));
    if (contract) {
      this.#contracts.add(contract.where);
    } else {
      this.#leaks.push(`${path}: …${text.slice(Math.max(0, found.index - 60), found.index + 60)}…`);
    }
  }
}

function toText(value: string | number | ArrayBufferView): string {
  if (typeof value !== 'object') {
    return String(value);
  }
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}
