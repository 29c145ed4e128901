import { activity, buildArtifact, json, startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';
import type { Settings } from './settings.js';

/** More than arrive between two looks at the requests. */
const MAX_REQUESTS = 100_000;

/** The local edge in the place of Adobe's: it has the rules, and takes impressions. It can be stopped and started. */
export class Edge {
  #edge: TargetEdge;
  #isRunning = true;
  #rules: object;
  #releases: string[] = [];
  /** Learns the URL of the page of each impression that arrives. */
  readonly #onImpression: (url: string) => void;

  private constructor(edge: TargetEdge, rules: object, onImpression: (url: string) => void) {
    this.#edge = edge;
    this.#rules = rules;
    this.#onImpression = onImpression;
  }

  static async start(onImpression: (url: string) => void): Promise<Edge> {
    const edge = new Edge(await startTargetEdge({ maxRequests: MAX_REQUESTS }), {}, onImpression);
    edge.publish();
    return edge;
  }

  get config(): Settings['edge'] {
    const { client, organizationId, serverDomain, secure } = this.#edge.config;
    return { client, organizationId, serverDomain, secure };
  }

  get artifactLocation(): string {
    return this.#edge.artifactUrl;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** The number of the release that was published last. */
  get release(): number {
    return this.#releases.length;
  }

  /** Tells the number of a release by the time at which its rules were made. */
  releaseOf(generatedAt: string | undefined): number | undefined {
    return generatedAt === undefined ? undefined : this.#releases.indexOf(generatedAt) + 1 || undefined;
  }

  /** Marketing publishes new rules. */
  publish(): void {
    const release = this.release + 1;
    const banner = activity('Banner').mbox('banner').only(json({ release }));
    const rules = buildArtifact({ activities: [banner] });
    this.#rules = rules;
    this.#releases.push(String(rules.meta?.generatedAt));
    this.#edge.setArtifact(rules);
  }

  /** Closes every connection, and refuses new ones. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#edge.close();
  }

  async restart(): Promise<void> {
    if (this.#isRunning) {
      return;
    }
    this.collect();
    const { port } = this.#edge;
    this.#edge = await startTargetEdge({ artifact: this.#rules, port, maxRequests: MAX_REQUESTS });
    this.#isRunning = true;
  }

  /** Passes on the impressions that have arrived since the last time. */
  collect(): void {
    const { requests } = this.#edge;
    this.#edge.clearRequests();
    for (const { delivery, status } of requests) {
      for (const _ of status === 200 ? (delivery?.notifications ?? []) : []) {
        this.#onImpression(delivery?.context?.address?.url ?? '');
      }
    }
  }
}
