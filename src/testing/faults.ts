/** Headers of an answer by name. A list sends the header several times. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** A fault of an answer, as networks, proxies and troubled servers produce them. */
export type Fault =
  /** Answers with any status, with headers such as Retry-After or Location. An object as body is sent as JSON. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: AnswerHeaders;
      readonly body?: string | Uint8Array | object;
    }
  /** Sends the usual answer after `ms` milliseconds. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Accepts the request and sends nothing. */
  | { readonly kind: 'hang' }
  /** Sends status and headers, then nothing. */
  | { readonly kind: 'stall' }
  /** Sends the usual answer, the body byte by byte with `intervalMs` milliseconds between two bytes. */
  | { readonly kind: 'drip'; readonly intervalMs: number }
  /** Resets the connection before the answer. */
  | { readonly kind: 'reset' }
  /** Sends half the body of the usual answer, then resets the connection. */
  | { readonly kind: 'resetMidBody' }
  /** Sends half the body that Content-Length announces, then closes the connection in the regular way. */
  | { readonly kind: 'truncate' }
  /** Answers 200 with any body: HTML, nothing, `null`, JSON of a wrong shape. */
  | {
      readonly kind: 'body';
      readonly body: string | Uint8Array;
      /** The Content-Type header. @default 'application/json;charset=UTF-8' */
      readonly contentType?: string;
    }
  /** Answers 200 with valid JSON that is too large. */
  | {
      readonly kind: 'huge';
      /** The size of the body in bytes. @default 67108864 (64 MiB) */
      readonly bytes?: number;
    }
  /** Sends the usual answer compressed, or a body that only claims to be. */
  | {
      readonly kind: 'gzip';
      /**
       * The content of the body. `valid` is the usual answer. `bomb` is valid JSON that is small until it is decoded.
       * `invalid` is not gzip at all. `truncated` ends in the middle.
       * @default 'valid'
       */
      readonly variant?: 'valid' | 'bomb' | 'invalid' | 'truncated';
      /** The size of a `bomb` in bytes when it is decoded. @default 67108864 (64 MiB) */
      readonly bytes?: number;
    };

/** The name of a {@link Fault}. */
export type FaultKind = Fault['kind'];

type FieldsOf<Kind extends FaultKind> = Record<keyof Extract<Fault, { kind: Kind }>, true>;

/** The fields of each fault. These are records, because the compiler then reports a kind or field that is missing. */
const FIELDS = {
  status: { kind: true, status: true, headers: true, body: true },
  delay: { kind: true, ms: true },
  hang: { kind: true },
  stall: { kind: true },
  drip: { kind: true, intervalMs: true },
  reset: { kind: true },
  resetMidBody: { kind: true },
  truncate: { kind: true },
  body: { kind: true, body: true, contentType: true },
  huge: { kind: true, bytes: true },
  gzip: { kind: true, variant: true, bytes: true },
} satisfies { readonly [Kind in FaultKind]: FieldsOf<Kind> };

/** The names of the fields of each fault, by its kind. */
export const FAULT_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(FIELDS).map(([kind, fields]) => [kind, Object.keys(fields)]),
);
