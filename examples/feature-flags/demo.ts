import type { TargetClient } from 'target-node-sdk';
import { startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';
import { toArtifact } from './releases.js';

/** A local Target edge in the place of Adobe's, with what can happen to it. */
export class Demo {
  #edge: TargetEdge;
  #release = 0;
  #isRunning = true;
  #artifact: object;
  /** Requests to edges that were stopped. */
  #requestsBefore = 0;

  private constructor(edge: TargetEdge, artifact: object) {
    this.#edge = edge;
    this.#artifact = artifact;
  }

  static async start(): Promise<Demo> {
    const artifact = toArtifact(0, new Date());
    return new Demo(await startTargetEdge({ artifact }), artifact);
  }

  get config(): TargetEdge['config'] {
    return this.#edge.config;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** How many requests ever reached the edge. */
  get requests(): number {
    return this.#requestsBefore + this.#edge.requests.length;
  }

  /** Marketing changes the activity, and the client is told not to wait for its next poll. */
  async publish(client: TargetClient): Promise<void> {
    this.#release += 1;
    this.#artifact = toArtifact(this.#release, new Date());
    this.#edge.setArtifact(this.#artifact);
    await client.refresh();
  }

  /** Every connection is closed, and new ones are refused. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#edge.close();
  }

  async restart(): Promise<void> {
    if (this.#isRunning) {
      return;
    }
    this.#isRunning = true;
    this.#requestsBefore += this.#edge.requests.length;
    this.#edge = await startTargetEdge({ artifact: this.#artifact, port: this.#edge.port });
  }
}
