import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FetchApi, TargetClientConfig } from '../../src/index.js';
import { html, startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';
import { selfSigned } from '../self-signed.js';
import { steadyPort } from '../steady-port.js';
import type { FaultRow, Play, Scene, Target } from './faults.js';
import { Front } from './front.js';

/** A client's surroundings, in which one fault can be switched on and off. */
export interface World {
  readonly config: TargetClientConfig;
  readonly edge: TargetEdge;
  readonly artifactUrl: string;
  /** Switches the fault on. */
  strike(): Promise<void>;
  /** Switches it off. */
  heal(): Promise<void>;
  /** Says which release the fault is to be about. */
  prepare(release: number): void;
  /** Publishes a release of the artifact, newer than those before. */
  publish(release: number): void;
  /** How many requests of the target came since the last time that it was asked. */
  takeCount(): number;
  /** How many requests reached another host. */
  strayed(): number;
  close(): Promise<void>;
}

const ARTIFACT_PATH = '/demo/production/v1/rules.json';
const PATHS: Readonly<Record<Target, string>> = {
  artifact: ARTIFACT_PATH,
  delivery: '/rest/v1/delivery',
  geo: '/v1/geo',
  notifications: '/rest/v1/delivery',
};
const FIRST_GENERATED_MS = Date.UTC(2026, 0, 1);
/** Rules and geo go over plain http to this machine alone, which names below localhost are. */
const NAME = 'edge.lab.localhost';

/** A release of the artifact: `hero` says which, `place` is for one country, `flags` for half of the visitors each. */
export function releaseOf(release: number): object {
  const from = (country: string) => ({ '==': [country, { var: 'geo.country' }] });
  const mboxes = {
    hero: [rule('hero', { activity: 1000, shows: `release ${release}` })],
    place: [rule('place', { activity: 2000, when: from('CH'), shows: 'in Switzerland' })],
    flags: [0, 1].map((half) =>
      rule('flags', { activity: 3000, experience: half, when: allocated(half * 50, half * 50 + 50) }),
    ),
  };
  const meta = {
    clientCode: 'demo',
    environment: 'production',
    generatedAt: new Date(FIRST_GENERATED_MS + release * 1000).toISOString(),
  };
  return artifactOf(mboxes, {}, { meta, remoteMboxes: ['far'], geoTargetingEnabled: true });
}

/** Starts the surroundings of one cell, in good order. */
export async function startWorld(row: FaultRow, target: Target): Promise<World> {
  const edge = await startTargetEdge({
    artifact: releaseOf(1),
    offers: { mboxes: { far: html('far away') } },
    geo: { default: { countryCode: 'CH' } },
  });
  const other = await startTargetEdge({ artifact: releaseOf(1) });
  const [trusted, foreign] = [selfSigned(), selfSigned()];
  const isTls = row.play.by === 'tls';
  const front = new Front(await steadyPort(), edge.port, isTls ? trusted : undefined);
  await front.open();
  const path = PATHS[target];
  let release = 1;
  let isOn = false;
  let fetched = 0;

  const scene = (): Scene => {
    const good = target === 'artifact' ? JSON.stringify(releaseOf(release)) : GOOD[target];
    return { good, etag: `"release-${release}"`, otherUrl: other.url, path };
  };
  const host = `${isTls ? 'localhost' : row.play.by === 'dns' ? NAME : '127.0.0.1'}:${front.port}`;
  const file = row.play.by === 'file' ? new SpoiltFile(row.play.spoil) : undefined;
  const publish = (next: number) => {
    release = next;
    if (!isOn) {
      file?.write(scene().good);
    }
    edge.setArtifact(releaseOf(next), { etag: `"release-${next}"` });
  };
  publish(1);

  const set = async (on: boolean): Promise<void> => {
    isOn = on;
    if (file) {
      return on ? file.spoil(scene().good) : file.write(scene().good);
    }
    await play(row.play, { on, edge, front, scene, path, certificate: on ? foreign : trusted });
  };
  return {
    config: {
      ...edge.config,
      serverDomain: host,
      cdnBasePath: host,
      secure: isTls,
      targetLocationHint: '35',
      telemetryEnabled: false,
      ...surroundings(row.play, { isOn: () => isOn, path, ca: trusted.cert, onFetch: () => (fetched += 1) }),
    },
    edge,
    artifactUrl: file?.url ?? `${isTls ? 'https' : 'http'}://${host}${ARTIFACT_PATH}`,
    strike: () => set(true),
    heal: () => set(false),
    prepare: (next) => {
      release = next;
    },
    publish,
    takeCount: () => {
      const count = fetched + front.paths.filter((asked) => asked === path).length;
      fetched = 0;
      front.paths.length = 0;
      return count;
    },
    strayed: () => other.requests.length,
    close: async () => {
      file?.remove();
      await front.close();
      await Promise.all([edge.close(), other.close()]);
    },
  };
}

const GOOD: Readonly<Record<Exclude<Target, 'artifact'>, string>> = {
  delivery: '{"status":200,"execute":{"mboxes":[{"name":"far","index":0,"options":[]}]}}',
  geo: '{"x-geo-country-code":"CH"}',
  notifications: '{"status":200,"notifications":[{"id":"1"}]}',
};

/** The artifact as a file of its own folder. */
class SpoiltFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fault-lab-'));
  readonly #path = join(this.#folder, 'rules.json');
  readonly #spoil: Extract<Play, { by: 'file' }>['spoil'];
  #stop: (() => void) | undefined;

  constructor(spoil: Extract<Play, { by: 'file' }>['spoil']) {
    this.#spoil = spoil;
  }

  get url(): string {
    return pathToFileURL(this.#path).href;
  }

  spoil(good: string): void {
    this.#stop?.();
    this.#stop = this.#spoil(this.#path, good);
  }

  /** Whatever is in its place. */
  write(good: string): void {
    this.#stop?.();
    this.#stop = undefined;
    rmSync(this.#path, { recursive: true, force: true });
    writeFileSync(`${this.#path}.good`, good);
    renameSync(`${this.#path}.good`, this.#path);
  }

  remove(): void {
    this.#stop?.();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly on: boolean;
  readonly edge: TargetEdge;
  readonly front: Front;
  readonly scene: () => Scene;
  readonly path: string;
  readonly certificate: ReturnType<typeof selfSigned>;
}

const realNow = Date.now;

async function play(how: Play, { on, edge, front, scene, path, certificate }: Stage): Promise<void> {
  switch (how.by) {
    case 'edge':
    case 'caller':
      edge.clearFaults();
      if (on) {
        edge.fault(how.by === 'edge' ? how.fault(scene()) : { kind: 'status', status: 500 }, { where: path });
      }
      break;
    case 'socket':
      front.interrupt = on
        ? (asked, socket) => {
            if (asked === path) {
              how.answer(socket, scene());
            }
            return asked === path;
          }
        : undefined;
      if (!on) {
        front.cut();
      }
      break;
    case 'closed port':
      await (on ? front.close() : front.open());
      break;
    case 'dns':
      // Connections that are being made would outlive the name.
      front.interrupt = on ? (_, socket) => Boolean(socket.destroy()) : undefined;
      if (on) {
        front.cut();
      }
      break;
    case 'tls':
      front.show(certificate);
      break;
    case 'clock':
      Date.now = on ? () => realNow() + how.jumpMs : realNow;
      break;
    case 'file':
    case 'fetch':
      break;
  }
}

interface Switches {
  readonly isOn: () => boolean;
  readonly path: string;
  readonly ca: string;
  readonly onFetch: () => void;
}

/** What of the client's configuration a fault needs. */
function surroundings(how: Play, { isOn, path, ca, onFetch }: Switches): Partial<TargetClientConfig> {
  if (how.by === 'caller') {
    return how.config;
  }
  if (how.by === 'tls') {
    return { agent: new https.Agent({ keepAlive: true, ca }) };
  }
  if (how.by === 'dns') {
    const lookup: NonNullable<http.AgentOptions['lookup']> = (name, { all }, done) => {
      if (isOn()) {
        const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
        process.nextTick(done, error);
      } else if (all) {
        process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }]);
      } else {
        process.nextTick(done, null, '127.0.0.1', 4);
      }
    };
    return { agent: new http.Agent({ keepAlive: true, lookup }) };
  }
  if (how.by !== 'fetch') {
    return {};
  }
  const fetchApi: FetchApi = (url, init) => {
    if (!isOn() || new URL(url).pathname !== path) {
      return fetch(url, init);
    }
    onFetch();
    return how.fetchApi(url, init);
  };
  return { fetchApi };
}
