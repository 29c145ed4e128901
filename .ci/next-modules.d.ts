/**
 * The parts of Next.js that `target-node-sdk/next` uses. Next.js is bigger than all that this project installs, so its
 * own types are compared with these where it is installed anyway: with the example.
 */
declare module 'next/headers.js' {
  /** Resolves with the headers of the request, the same object in all components of a page. */
  export function headers(): Promise<Headers>;
  /** Resolves with the cookies of the request. In a component they cannot be set. */
  export function cookies(): Promise<{
    set(name: string, value: string, attributes: object): unknown;
  }>;
}

declare module 'next/server.js' {
  /** Runs work after the answer of the request is sent. */
  export function after(work: Promise<unknown> | (() => unknown)): void;
  /** Resolves when there is a request of a visitor, and never while Next.js renders a page in advance. */
  export function connection(): Promise<void>;
  export const NextResponse: {
    /** Lets the request go on, with other headers. */
    next(init: { readonly request: { readonly headers: Headers } }): Response;
  };
}
