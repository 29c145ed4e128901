/** A Next.js to try the example in. */
export interface Row {
  readonly name: string;
  /** A folder beside this file with files that replace those of the example, such as another lock file. */
  readonly folder?: string;
  readonly buildFlags?: readonly string[];
  /** The settings of Next.js, in place of those of the example. */
  readonly config?: object;
  /** Has a file `middleware.ts` where Next.js 16 has `proxy.ts`. */
  readonly isBefore16?: boolean;
  readonly isStandalone?: boolean;
  /** Tries what takes long and is the same with every bundler: signals, the development server, and wrong pages. */
  readonly isThorough?: boolean;
}

const EXTERNAL = { serverExternalPackages: ['target-node-sdk'], poweredByHeader: false };

/** The first row runs in every CI, the others with `all`. */
export const ROWS: readonly Row[] = [
  { name: '16 with Turbopack', isThorough: true },
  { name: '16 with webpack', buildFlags: ['--webpack'] },
  { name: '16 with the package bundled', config: { poweredByHeader: false } },
  {
    name: '16 with webpack and the package bundled',
    buildFlags: ['--webpack'],
    config: { poweredByHeader: false },
  },
  { name: '16, standalone', config: { ...EXTERNAL, output: 'standalone' }, isStandalone: true },
  { name: '15', folder: 'next-15', isBefore16: true, isThorough: true },
  {
    name: '15 with the package bundled',
    folder: 'next-15',
    isBefore16: true,
    config: { poweredByHeader: false },
  },
];
