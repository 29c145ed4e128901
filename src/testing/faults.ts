/** Headers of an answer. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** What can go wrong with an answer. Each is what a network, proxy or edge in trouble does. */
export type Fault =
  /** Any status, with headers such as Retry-After or Location. An object is sent as JSON. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: AnswerHeaders;
      readonly body?: string | Uint8Array | object;
    }
  /** The real answer, after so many milliseconds. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Accepts the request and never answers a byte. */
  | { readonly kind: 'hang' }
  /** Status and headers, then nothing. */
  | { readonly kind: 'stall' }
  /** The real answer, its body one byte per interval. */
  | { readonly kind: 'drip'; readonly intervalMs: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** Half the body of the real answer, then the connection is reset. */
  | { readonly kind: 'resetMidBody' }
  /** Content-Length promises the whole body; half of it is sent, and the connection ends in good order. */
  | { readonly kind: 'truncate' }
  /** 200 with any body: HTML, nothing, `null`, a wrong shape. */
  | {
      readonly kind: 'body';
      readonly body: string | Uint8Array;
      /** @default 'application/json;charset=UTF-8' */
      readonly contentType?: string;
    }
  /** 200 with JSON that is right but for its size. */
  | {
      readonly kind: 'huge';
      /** @default 67108864 (64 MiB) */
      readonly bytes?: number;
    }
  /** The real answer, compressed; or an answer that claims to be. */
  | {
      readonly kind: 'gzip';
      /**
       * `valid` is the real answer; `bomb` is JSON that is right but for its size; `invalid` is not gzip at all;
       * `truncated` ends in the middle. @default 'valid'
       */
      readonly variant?: 'valid' | 'bomb' | 'invalid' | 'truncated';
      /** Size of the bomb when it is decoded. @default 67108864 (64 MiB) */
      readonly bytes?: number;
    };

/** The name of a {@link Fault}. */
export type FaultKind = Fault['kind'];

const KINDS = {
  status: true,
  delay: true,
  hang: true,
  stall: true,
  drip: true,
  reset: true,
  resetMidBody: true,
  truncate: true,
  body: true,
  huge: true,
  gzip: true,
} satisfies Record<FaultKind, true>;

/** Every kind of fault. */
export const FAULT_KINDS: ReadonlySet<string> = new Set(Object.keys(KINDS));
