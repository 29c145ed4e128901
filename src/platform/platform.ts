import type { Connections } from '../http/connections.js';
import type { FetchApi } from '../http/fetch-api.js';

/** A timer that runs, as the platform's own `setTimeout` gives it. */
export type Timer = ReturnType<typeof setTimeout>;

/** The part of a Node stream by which a body is read. */
export interface NodeStream {
  readonly errored: Error | null;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: 'data' | 'end' | 'close' | 'error', listener: (value: unknown) => void): unknown;
  destroy(): unknown;
}

/** Connections of our own: keep-alive, measured, and closed when they are found dead. */
export interface Sockets {
  /** Makes the connections of one client; none is opened before the first call. */
  open(): Connections;
  /** Closes the idle connections of somebody else's agent to the origin of a URL. */
  dropIdleOf(agent: object, url: string): void;
  /** Looks a host's name up as the connections do; rejects when it has no address. */
  lookUp(hostname: string): Promise<unknown>;
}

/** A file that is open, read piece by piece. */
export interface OpenFile {
  /** Tells a regular file from folders, pipes and devices. */
  isRegular(): Promise<boolean>;
  /** Resolves with the next piece, of at most so many bytes; an empty one is the end. */
  read(maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The file system, as far as an artifact is read from it. */
export interface Files {
  /** Opens the file of a `file:` URL; rejects with the system's own error. */
  open(url: string): Promise<OpenFile>;
  /** The digest of a file's bytes, in base64. */
  sha256(bytes: Uint8Array): string;
}

/** The signals that a process is sent. */
export interface Signals {
  on(name: string, listener: (name: string) => void): unknown;
  off(name: string, listener: (name: string) => void): unknown;
}

/**
 * All that the core uses of the platform that it runs on and that is no global of the web: `#platform` is `node.ts` or
 * `web.ts`, and both export exactly this.
 */
export interface Platform {
  /** The fetch of clients that are given none. */
  readonly defaultFetch: FetchApi;
  /** Absent where a fetch is all there is. */
  readonly sockets: Sockets | undefined;
  /** Absent where there are no files. */
  readonly files: Files | undefined;
  /** Absent where no process is sent signals. */
  readonly processSignals: Signals | undefined;
  /** Lets the process end though its parent could still write to it, as the primary of a cluster can; they stay connected. */
  releaseChannel(): void;
  /**
   * When a client begins what it does unasked, such as to download: some runtimes forbid the network, timers and random
   * bytes until there is a request.
   */
  readonly startsAt: 'create' | 'first-call';
  /** Lets a signal have any number of listeners without a warning. */
  allowListeners(signal: AbortSignal): void;
  isNodeStream(body: unknown): body is NodeStream;
  /** Recognises errors of another realm too. */
  isNativeError(value: unknown): value is Error;
  /** 4 or 6 for an address of that version, 0 for anything else. */
  isIp(text: string): number;

  /** Calls when the current turn of the event loop is over. */
  later(act: () => void): void;
  /** Lets the process end while a timer runs. */
  unref<Running extends Timer | undefined>(timer: Running): Running;
  /** Keeps the process alive while a timer runs. */
  ref(timer: Timer | undefined): void;

  /** Fills bytes with cryptographically strong random ones. */
  fillRandom(bytes: Uint8Array): void;
  /** The length of a text in UTF-8. */
  utf8Length(text: string): number;
  /** The text of UTF-8 bytes; a byte order mark is part of it, and what is not UTF-8 is replaced. */
  toText(bytes: Uint8Array): string;
  /** The text of UTF-8 bytes without its byte order mark; throws on what is not UTF-8. */
  toExactText(bytes: Uint8Array): string;
  /** The text of bytes that are one character each. */
  fromLatin1(bytes: Uint8Array): string;
  /** Two lower-case digits for each byte. */
  toHex(bytes: Uint8Array): string;
  /** The UTF-8 of a text; a lone surrogate is replaced. */
  toBytes(text: string): Uint8Array;
  /** Joins pieces to one. */
  concat(pieces: readonly Uint8Array[]): Uint8Array;
}
