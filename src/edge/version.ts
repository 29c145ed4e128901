import manifest from '../../package.json' with { type: 'json' };

/** The version of this package. Each delivery call sends it in a header. */
export const VERSION: string = manifest.version;
