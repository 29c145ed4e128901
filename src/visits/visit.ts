import type {
  AnyAttributes,
  AttributesProvider,
  AttributesSchema,
  DeliveryRequest,
  JsonValue,
  TargetClient,
  TargetDeliveryResponse,
  Visitor,
} from '../index.js';
import { readCookies, toSetCookieHeaders } from './cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import type {
  TrackOptions,
  VisitAnswer,
  VisitAttributesCall,
  VisitMbox,
  VisitRequest,
} from './visit-call.js';
import { checkVisitOptions, type VisitOptions } from './visit-options.js';

/** Makes the visit of one request. */
export function createVisit(
  client: TargetClient,
  incoming: IncomingRequest,
  options: VisitOptions = {},
): Visit {
  checkVisitOptions(options);
  return new Visit(client, incoming, options);
}

/** One visitor's one request. */
export class Visit {
  readonly #client: TargetClient;
  readonly #incoming: IncomingRequest;
  readonly #options: VisitOptions;
  #last: TargetDeliveryResponse | undefined;

  /** @internal */
  constructor(client: TargetClient, incoming: IncomingRequest, options: VisitOptions) {
    this.#client = client;
    this.#incoming = incoming;
    this.#options = options;
  }

  /** True when nobody may see the page. */
  get isUnseen(): boolean {
    return false;
  }

  /** The Experience Cloud visitor of the page. */
  get visitor(): Visitor {
    throw new Error('not yet');
  }

  /** Decides offers. */
  async getOffers(options: VisitRequest): Promise<VisitAnswer> {
    const answer = await this.#client.getOffers({ ...this.#identity(), ...options });
    this.#last = answer;
    return Object.assign(answer, { isUncounted: false });
  }

  /** Decides attributes. */
  async getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: VisitAttributesCall = {},
  ): Promise<AttributesProvider<Schema>> {
    const answer = await this.#client.getAttributes<Schema>(mboxNames, { ...this.#identity(), ...options });
    this.#last = answer.getResponse();
    return answer;
  }

  /** Returns the content of an mbox, or the default. */
  async offer<Content = JsonValue | string>(
    mbox: string | VisitMbox,
    defaultContent: Content,
  ): Promise<Content> {
    try {
      const execute = { mboxes: [typeof mbox === 'string' ? { name: mbox } : mbox] };
      const { response } = await this.getOffers({ request: { execute } as DeliveryRequest });
      return (response.execute?.mboxes?.[0]?.options?.[0]?.content as Content | undefined) ?? defaultContent;
    } catch {
      return defaultContent;
    }
  }

  /** Reports displays and clicks. */
  sendNotifications(options: VisitRequest): Promise<TargetDeliveryResponse> {
    return this.#client.sendNotifications({ ...this.#identity(), ...options });
  }

  /** Counts a conversion in the background. */
  track(mbox: string, options: TrackOptions = {}): void {
    const execute = { mboxes: [{ name: mbox, ...options }] };
    void this.getOffers({ request: { execute } as DeliveryRequest }).catch(() => undefined);
  }

  /** Asks who the visitor is. */
  async identify(): Promise<void> {}

  /** The `Set-Cookie` lines that are due. */
  get setCookies(): readonly string[] {
    return this.#last ? toSetCookieHeaders(this.#last, this.#options.cookies ?? {}) : [];
  }

  /** The headers of the answer. */
  headers(): [name: string, value: string][] {
    const cookies = this.setCookies.map((line): [string, string] => ['Set-Cookie', line]);
    return cookies.length > 0 ? [...cookies, ['Cache-Control', 'private, no-store']] : cookies;
  }

  /** Tells the visit that the headers of the answer are sent, so that its cookies can no longer be written. */
  headersSent(): void {}

  #identity(): object {
    return readCookies(this.#incoming.header('cookie'), '');
  }
}
