/** The settings that the supervisor starts a web process or a worker with. */
export interface Settings {
  readonly redisPort: number;
  /** The client's options for the local edge. */
  readonly edge: EdgeOptions;
  /** The URL of the rules. */
  readonly artifactLocation: string;
  readonly mode: Mode;
  /** The key that signs the rules in the shared store. */
  readonly secret: string;
}

interface EdgeOptions {
  readonly client: string;
  readonly organizationId: string;
  readonly serverDomain: string;
  readonly secure: false;
}

/** Tells whether the queue takes what the edge does not take at once, or everything. */
export type Mode = 'overflow' | 'always';

const VARIABLE = 'FLEET_SETTINGS';

/** Returns the environment of a process with these settings. Arguments would show the secret to every user. */
export function toEnvironment(settings: Settings): NodeJS.ProcessEnv {
  return { ...process.env, [VARIABLE]: JSON.stringify(settings) };
}

/** Reads the settings of this process. */
export function readSettings(): Settings {
  return JSON.parse(process.env[VARIABLE] ?? '');
}
