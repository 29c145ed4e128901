/** The cost of opening a call's connection. The fields are filled in while it opens. */
export interface Opening {
  /** True when the call opened a connection. False when the call used an open connection, or waited for one. */
  isNew: boolean;
  /** Time of the DNS look-up in ms, from the start of the connection. Undefined when the host is an IP address. */
  dnsMs: number | undefined;
  /** Time of the TLS handshake in ms, from the open connection to its end. Undefined for plain http. */
  tlsMs: number | undefined;
}

/** The part of a socket that closes it. */
export interface ClosableSocket {
  destroy(): unknown;
  emit(event: 'agentRemove'): unknown;
}

/** The part of an abort signal that ends the opening of a tunnel together with its call. */
export interface CutSignal {
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A call that goes over one of the client's connections. */
export interface Trip {
  readonly url: string;
  readonly body: string | undefined;
  /** The signal that is aborted when nobody waits for the call any more. */
  readonly cut: CutSignal | undefined;
  /** The cost of opening the connection, if the call opens one. */
  readonly opening: Opening;
  /** The Node request that carries the call, set at the start. Undefined when a mock replaces `node:http`. */
  request: { readonly socket: ClosableSocket | null } | undefined;
}
