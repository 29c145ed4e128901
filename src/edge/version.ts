import manifest from '../../package.json' with { type: 'json' };

/** The package's own version, as each delivery call reports it. */
export const VERSION: string = manifest.version;
