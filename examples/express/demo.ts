/** What only the demo has: a local Target edge in the place of Adobe's, and buttons that a shop would not show. */
import type { Express, Request, Response } from 'express';
import { startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';
import { demoOffers } from './demo-offers.js';
import { type Html, html } from './html.js';

/** A local Target edge that can be stopped and started again on the same port. */
export class DemoEdge {
  #edge: TargetEdge;
  #isRunning = true;

  private constructor(edge: TargetEdge) {
    this.#edge = edge;
  }

  static async start(): Promise<DemoEdge> {
    return new DemoEdge(await startTargetEdge({ offers: demoOffers, workbench: true }));
  }

  get config(): TargetEdge['config'] {
    return this.#edge.config;
  }

  get workbenchUrl(): string | undefined {
    return this.#edge.workbenchUrl;
  }

  get isRunning(): boolean {
    return this.#isRunning;
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
    this.#isRunning = true;
    this.#edge = await startTargetEdge({ offers: demoOffers, port: this.#edge.port, workbench: true });
  }
}

/** Adds the routes of the demo's buttons: forms that come back to the page. */
export function addDemoRoutes(app: Express, edge: DemoEdge | undefined): void {
  const backToPage = (response: Response) => response.redirect(303, '/');
  app.post('/demo/visitor', (request, response) => {
    forgetVisitor(request, response);
    backToPage(response);
  });
  if (!edge) {
    return;
  }
  app.post('/demo/stop', async (_request, response) => {
    await edge.stop();
    backToPage(response);
  });
  app.post('/demo/start', async (_request, response) => {
    await edge.restart();
    backToPage(response);
  });
}

/** Deletes the cookies that Target knows the visitor by. */
function forgetVisitor(request: Request, response: Response): void {
  for (const name of ['mbox', 'mboxEdgeCluster']) {
    response.clearCookie(name, { httpOnly: true, sameSite: 'lax', secure: request.secure });
  }
}

/** The demo's buttons, and how the edge is. */
export function toDemoControls(edge: DemoEdge | undefined): Html {
  const button = (action: string, label: string) =>
    html`<form method="post" action="/demo/${action}"><button>${label}</button></form>
`;
  return html`<div class="demo">
${button('visitor', 'Be another visitor')}${edge && (edge.isRunning ? button('stop', 'Stop the edge') : button('start', 'Start the edge again'))}</div>
<p>The same shop in Next.js: <code>npm run start:next</code></p>
${
  edge &&
  html`<p id="edge" role="status">${toEdgeState(edge)}</p>
<p><a href="${edge.workbenchUrl}">What arrives at the edge</a></p>`
}`;
}

function toEdgeState({ isRunning }: DemoEdge): string {
  return isRunning
    ? 'The local Target edge is running.'
    : 'The local Target edge is stopped: everybody gets the default content, and the page still works.';
}
