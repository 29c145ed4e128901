/** The cost of opening a call's connection, filled in while it opens. */
export interface Opening {
  /** True when the call opened a connection; else it got one that was open, or had to wait for its turn. */
  isNew?: boolean;
  /** The time from the start to the host's address; absent for an address. */
  dnsMs?: number;
  /** The time from the connection to the end of the TLS handshake; absent for plain http. */
  tlsMs?: number;
}

/** The part of a socket that closes it. */
export interface ClosableSocket {
  destroy(): unknown;
  emit(event: 'agentRemove'): unknown;
}

/** The part of a signal by which the opening of a tunnel is given up with its call. */
export interface CutSignal {
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A call on its way over one of the connections. */
export interface Trip {
  readonly url: string;
  readonly body?: string | undefined;
  /** Aborted when nobody waits for the call any more. */
  readonly cut?: CutSignal | undefined;
  /** The cost of the connection that it opens. */
  readonly opening: Opening;
  /** The request that carries it, filled in at the start; absent where somebody stands in for the connections. */
  request?: { readonly socket: ClosableSocket | null };
}
