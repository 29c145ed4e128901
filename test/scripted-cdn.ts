import { afterEach, jest } from '@jest/globals';
import type {
  DeliveryResponse,
  FetchApi,
  TargetClientConfig,
  TargetEventListeners,
  TargetEvents,
} from '../src/index.js';
import { TargetClient } from '../src/index.js';
import { flagsArtifact, HERO, type Version } from './fixtures/flags.js';
import { answer, DELIVERY, type RecordedCall, recordingFetch, type Script } from './recording-fetch.js';

/** What answers, call by call; the last script of a list is played for all that follow. */
export interface Scripts {
  /** @default the first version of the artifact */
  readonly downloads?: readonly Script[];
  /** @default every notification is confirmed */
  readonly deliveries?: readonly Script[];
  /** @default nothing is known of any place */
  readonly places?: readonly Script[];
}

/** A client that decides on-device, what it raised, and what it asked. */
export interface Scripted {
  readonly client: TargetClient;
  readonly heard: Heard;
  readonly downloads: readonly RecordedCall[];
  readonly deliveries: readonly RecordedCall[];
  readonly places: readonly RecordedCall[];
}

/** Makes clients whose CDN and edge are scripts, and closes them behind each test; fake timers end there as well. */
export function withScripts(): (config?: Partial<TargetClientConfig>, scripts?: Scripts) => Scripted {
  const clients: TargetClient[] = [];
  afterEach(async () => {
    jest.useRealTimers();
    jest.restoreAllMocks();
    await Promise.all(clients.splice(0).map((client) => client.close({ timeout: 1 })));
  });
  return (config = {}, { downloads = [served()], deliveries = [confirm], places = [answer({})] } = {}) => {
    const [cdn, edge, geo] = [downloads, deliveries, places].map((scripts) => recordingFetch(...scripts));
    if (!cdn || !edge || !geo) {
      throw new Error('there are three of them');
    }
    const fetchApi: FetchApi = (url, init) => {
      const { pathname } = new URL(url);
      if (pathname === '/rest/v1/delivery') {
        return edge.fetchApi(url, init);
      }
      return (pathname === '/v1/geo' ? geo : cdn).fetchApi(url, init);
    };
    const { heard, events } = listening();
    const client = TargetClient.create({
      client: 'demo',
      organizationId: 'DEMO@AdobeOrg',
      decisioningMethod: 'on-device',
      targetLocationHint: '35',
      telemetryEnabled: false,
      fetchApi,
      events,
      ...config,
    });
    clients.push(client);
    return { client, heard, downloads: cdn.calls, deliveries: edge.calls, places: geo.calls };
  };
}

/** Confirms every notification. */
export const confirm: Script = ({ request: { notifications } }) => {
  const body: DeliveryResponse = {
    ...DELIVERY,
    ...(notifications && { notifications: notifications.map(({ id }) => ({ id })) }),
  };
  return new Response(JSON.stringify(body));
};

/** Answers with a version of the artifact. */
export function served(version: Version & { readonly etag?: string } = {}): Script {
  const { etag } = version;
  return answer(flagsArtifact(version), etag === undefined ? {} : { headers: { etag } });
}

/** A script that answers when it is told to. */
export function held(script: Script): { readonly script: Script; release(): void } {
  const waiting: (() => void)[] = [];
  return {
    script: (call) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(script(call)));
      }),
    release: () => {
      for (const go of waiting.splice(0)) {
        go();
      }
    },
  };
}

/** Fake timers for everything but what an answer is made of. */
export function fakeTimers(): void {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
}

/** Plays the timers of so many milliseconds, and what they lead to. */
export async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

/** Lets everything happen that waits for nothing else. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate);
  }
}

/** What was heard, by the name of the event. */
export type Heard = { [Name in keyof TargetEvents]: TargetEvents[Name][] };

/** Listeners for `config.events` that keep what they hear. */
export function listening(): { readonly heard: Heard; readonly events: TargetEventListeners } {
  const heard: Heard = {
    clientReady: [],
    artifactDownloadSucceeded: [],
    artifactDownloadFailed: [],
    geoLocationUpdated: [],
    sendNotificationError: [],
    statusChanged: [],
    circuitBreakerChanged: [],
    artifactStoreChanged: [],
    invalidContent: [],
  };
  return {
    heard,
    events: {
      clientReady: (event) => heard.clientReady.push(event),
      artifactDownloadSucceeded: (event) => heard.artifactDownloadSucceeded.push(event),
      artifactDownloadFailed: (event) => heard.artifactDownloadFailed.push(event),
      geoLocationUpdated: (event) => heard.geoLocationUpdated.push(event),
      sendNotificationError: (event) => heard.sendNotificationError.push(event),
      statusChanged: (event) => heard.statusChanged.push(event),
      circuitBreakerChanged: (event) => heard.circuitBreakerChanged.push(event),
      artifactStoreChanged: (event) => heard.artifactStoreChanged.push(event),
    },
  };
}

/** Resolves with the next event of a name. */
export function next<Name extends keyof TargetEvents>(
  client: TargetClient,
  name: Name,
): Promise<TargetEvents[Name]> {
  return new Promise((resolve) => {
    const listener = (event: TargetEvents[Name]) => {
      client.off(name, listener);
      resolve(event);
    };
    client.on(name, listener);
  });
}

/** Which release of the artifact a client decides by. */
export async function releaseOf(client: TargetClient): Promise<unknown> {
  const { response } = await client.getOffers({ request: HERO, timeout: 10_000 });
  return response.execute?.mboxes?.[0]?.options?.[0]?.content;
}
