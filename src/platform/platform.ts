import type { Connections } from '../http/connections.js';
import type { FetchApi } from '../http/fetch-api.js';
import type { ProxyEnvironment, ProxyRules } from '../http/proxy-rules.js';

/** A running timer, as `setTimeout` of the platform returns it. */
export type Timer = ReturnType<typeof setTimeout>;

/** The part of a Node stream that is used to read a body. */
export interface NodeStream {
  readonly errored: Error | null;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: 'data' | 'end' | 'close' | 'error', listener: (value: unknown) => void): unknown;
  destroy(): unknown;
}

/** The platform's sockets. The client keeps them alive, measures them, and closes dead ones. */
export interface Sockets {
  /**
   * Makes the connections of one client, which go through the proxies of the rules. None is opened before the first
   * call.
   */
  open(proxies?: ProxyRules): Connections;
  /** Tells whether a function is the method of this name of the platform's own agents. */
  isOfAgents(name: PropertyKey, method: unknown): boolean;
  /** Closes the idle connections to a URL's origin in the caller's own agent. */
  dropIdleOf(agent: object, url: string): void;
  /** Looks a host's name up in the same way as the connections do. Rejects when the name has no address. */
  lookUp(hostname: string): Promise<unknown>;
}

/** An open file, which is read piece by piece. */
export interface OpenFile {
  /** Tells whether it is a regular file, and not a folder, a pipe or a device. */
  isRegular(): Promise<boolean>;
  /** Resolves with the next piece, which has at most `maxBytes`. An empty piece is the end. */
  read(maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The part of the file system that is used to read an artifact. */
export interface Files {
  /** Opens the file of a `file:` URL. Rejects with the system's own error. */
  open(url: string): Promise<OpenFile>;
  /** Computes the SHA-256 digest of a file's bytes, in base64. */
  sha256(bytes: Uint8Array): string;
}

/** The signals of the operating system that a process can receive. */
export interface Signals {
  on(name: string, listener: (name: string) => void): unknown;
  off(name: string, listener: (name: string) => void): unknown;
}

/**
 * The parts of the platform that the core uses, except the globals that browsers have too. The specifier `#platform`
 * stands for `node.ts` or `web.ts`, and both export exactly these.
 */
export interface Platform {
  /**
   * Loads the default fetch for the first call that needs it, because loading it takes half of the time that importing
   * the package takes. Returns undefined when it is loaded. A load that failed is forgotten, and the next call tries
   * again.
   */
  loadDefaultFetch(): Promise<void> | undefined;
  /** The fetch of clients without the option `fetchApi`. It has to be loaded first. */
  readonly defaultFetch: FetchApi;
  /** The platform's sockets. Undefined where the platform has only a fetch. */
  readonly sockets: Sockets | undefined;
  /**
   * Reads the proxies that the environment names at the moment. Undefined where the client does not open the
   * connections.
   */
  readonly proxies: { read(): ProxyEnvironment } | undefined;
  /** The platform's files. Undefined where the platform has none. */
  readonly files: Files | undefined;
  /** The signals of the process. Undefined where a process gets none. */
  readonly processSignals: Signals | undefined;
  /**
   * Lets the process end although it has a channel to its parent process, such as the primary of a cluster. The channel
   * stays open.
   */
  releaseChannel(): void;
  /**
   * The time when a client starts its background work, such as a download. Some runtimes forbid the network, timers and
   * random bytes before the first request.
   */
  readonly startsAt: 'create' | 'first-call';
  /** Lets a signal have any number of listeners without a warning. */
  allowListeners(signal: AbortSignal): void;
  isNodeStream(body: unknown): body is NodeStream;
  /** Tells whether an object is a proxy. False where the platform does not tell. */
  isProxy(value: object): boolean;
  /** Returns 4 or 6 for an IP address of that version, and 0 for anything else. */
  isIp(text: string): number;

  /** Calls a function when the current turn of the event loop is over. */
  later(act: () => void): void;
  /** Lets the process end while a timer runs. */
  unref<Running extends Timer | undefined>(timer: Running): Running;
  /** Keeps the process alive while a timer runs. */
  ref(timer: Timer | undefined): void;

  /** Fills an array with random bytes that are safe for secrets. */
  fillRandom(bytes: Uint8Array): void;
  /** Computes the SHA-256 digest of a text's UTF-8, in hexadecimal digits. */
  sha256Hex(text: string): string | Promise<string>;
  /** Counts the bytes of a text in UTF-8. */
  utf8Length(text: string): number;
  /** Reads a text from UTF-8 bytes. A byte order mark is part of the text, and bytes that are no UTF-8 are replaced. */
  toText(bytes: Uint8Array): string;
  /** Reads the text of UTF-8 bytes without its byte order mark. Throws on bytes that are no UTF-8. */
  toExactText(bytes: Uint8Array): string;
  /** Reads a text from bytes that are one character each. */
  fromLatin1(bytes: Uint8Array): string;
  /** Writes each byte as two lower-case hexadecimal digits. */
  toHex(bytes: Uint8Array): string;
  /** Writes bytes in the standard alphabet of Base64, with padding. */
  toBase64(bytes: Uint8Array): string;
  /** Writes a text as UTF-8. A lone surrogate is replaced. */
  toBytes(text: string): Uint8Array;
  /** Joins pieces into one. */
  concat(pieces: readonly Uint8Array[]): Uint8Array;
}
