/**
 * This file holds the types of the Delivery API's JSON (`POST /rest/v1/delivery`). They have the names of Adobe's
 * OpenAPI files. Requests are loose and read-only: most fields may be left out or be `undefined`. Responses belong to
 * the caller, who may change them.
 * @see https://developers.adobetarget.com/api/delivery-api/
 */

/** The channel on which offers are shown. Only activities of the same channel are decided. @default 'web' */
export type ChannelType = 'web' | 'mobile';
/** The login state of a visitor for one customer id. */
export type AuthenticatedState = 'unknown' | 'authenticated' | 'logged_out';
/** The sender of Analytics data: the edge (`server_side`) or the page (`client_side`). */
export type LoggingType = 'server_side' | 'client_side';
/** The event that a notification or metric reports: a click or a display. */
export type MetricType = 'click' | 'display';
/**
 * The kind of an option's content.
 *
 * - `html`: HTML for the page.
 * - `json`: data for the application.
 * - `redirect`: a URL to send the visitor to.
 * - `dynamic`: a URL from which the content is fetched.
 * - `actions`: page changes of the Visual Experience Composer.
 */
export type OptionType = 'html' | 'json' | 'redirect' | 'dynamic' | 'actions';
/**
 * The method of deciding offers.
 *
 * - `server-side`: on Adobe's edge, with one delivery call per request.
 * - `on-device`: in this process, by rules that were downloaded before.
 * - `hybrid`: in this process when the rules can decide the whole request, else on the edge.
 */
export type DecisioningMethod = 'server-side' | 'on-device' | 'hybrid';
/** The side that did the work of a telemetry entry: Adobe's edge, or this process. */
export type ExecutionMode = 'edge' | 'local';

/** Any value that JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * An id of the visitor in the site's own systems, with the visitor's login state.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/identifying-visitors
 */
export interface CustomerId {
  /** The id, at most 128 characters. */
  readonly id: string;
  /** The alias of the customer attributes data source in Experience Cloud, at most 50 characters. */
  readonly integrationCode: string;
  /** The visitor's login state. */
  readonly authenticatedState: AuthenticatedState;
}

/**
 * The ids of a visitor. Each is at most 128 characters long, `thirdPartyId` at most 256.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/identifying-visitors
 */
export interface VisitorId {
  /**
   * Target's id of the device. Target appends its location hint, as in `xxxx.35_0`.
   * @default the id in `targetCookie`
   */
  readonly tntId?: string | undefined;
  /** The site's own id of a visitor who is known, such as a member number. */
  readonly thirdPartyId?: string | undefined;
  /** The Experience Cloud id (ECID). Analytics and Audience Manager need it. @default the id in `visitorCookie` */
  readonly marketingCloudVisitorId?: string | undefined;
  /** Further ids of the visitor, at most 50. */
  readonly customerIds?: readonly CustomerId[] | undefined;
}

/** The URLs of the page. Audiences can be based on them. */
export interface Address {
  /** The URL of the page. It is cut after 4096 characters. */
  readonly url?: string | undefined;
  /** The URL of the page before. It is cut after 4096 characters. */
  readonly referringUrl?: string | undefined;
}

/**
 * Parameters of a location, by name. Audiences and macros can read them. There are at most 100. A name has 1 to 128
 * characters and does not start with `profile.`. A value has at most 5000 characters. Numbers and booleans are sent as
 * strings.
 * @see https://experienceleague.adobe.com/en/docs/target/using/troubleshoot/target-limits
 */
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** An order, which counts for conversion and revenue metrics. */
export interface Order {
  /** The id of the order, at most 250 characters. */
  readonly id?: string | undefined;
  /** The amount of money in the order, from 0, in the currency of the site. */
  readonly total?: number | undefined;
  /** The ids of the products. Each has at most 50 characters, and all with the commas between them at most 250. */
  readonly purchasedProductIds?: readonly string[] | undefined;
  /** The time of the order as ISO 8601 text. A `Date` is sent as such a text. */
  readonly time?: string | Date | undefined;
  /** An id that follows the experience over several requests: an integer from 0 to 2^31 - 1. */
  readonly experienceLocalId?: number | undefined;
  /** True when the order was reported before. */
  readonly duplicate?: boolean | undefined;
  /** True when the order is unusually large or small. */
  readonly outlier?: boolean | undefined;
}

/** A product, for recommendations. */
export interface Product {
  /** The id of the product, at most 128 characters. */
  readonly id?: string | undefined;
  /** The id of the product's category, at most 256 characters. */
  readonly categoryId?: string | undefined;
}

/** The fields that mboxes, views, page loads and notifications share. */
export interface RequestDetails {
  /** The URLs for this location. They replace the address of the context. */
  readonly address?: Address | undefined;
  /** Parameters for this location. The names `orderId`, `orderTotal` and `productPurchasedIds` are reserved. */
  readonly parameters?: Parameters | undefined;
  /**
   * Parameters to store in the visitor's profile on the edge. A value over 256 characters is not stored. On-device
   * rules do not read them.
   */
  readonly profileParameters?: Parameters | undefined;
  /**
   * An order that the visitor made. Only the edge counts orders, so `hybrid` sends such a request to it. `on-device`
   * sends the order with the display notification, or logs a warning when there is none.
   */
  readonly order?: Order | undefined;
  /** A product that the visitor looked at. Only the edge counts it, in the same way as `order`. */
  readonly product?: Product | undefined;
}

/** An mbox to decide. */
export interface MboxRequest extends RequestDetails {
  /** The name of the mbox. An mbox without a name is left out. */
  readonly name: string;
  /** A number that links the mbox to its answer. It is unique among the mboxes. @default the position in the list */
  readonly index?: number | undefined;
}

/** A view of a single-page app to prefetch. A view without a name stands for all views. */
export interface ViewRequest extends RequestDetails {
  /** The name of the view, at most 128 characters. */
  readonly name?: string | undefined;
  /** An optional second part of the view's identity, at most 512 characters. */
  readonly key?: string | undefined;
}

/** The locations that are shown at once. The edge counts an impression for each. At least one field is needed. */
export interface ExecuteRequest {
  /** The page load, which is the global mbox. */
  readonly pageLoad?: RequestDetails | undefined;
  /** The mboxes. The edge decides at most 50 in one call. */
  readonly mboxes?: readonly MboxRequest[] | undefined;
}

/**
 * The locations that may be shown later. Impressions are counted by the notifications that follow. At least one field
 * is needed.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/prefetch
 */
export interface PrefetchRequest {
  /** The views of a single-page app. */
  readonly views?: readonly ViewRequest[] | undefined;
  /** The page load, for content that belongs to no view. */
  readonly pageLoad?: RequestDetails | undefined;
  /** The mboxes. The edge decides at most 50 in one call. */
  readonly mboxes?: readonly MboxRequest[] | undefined;
}

/** The visitor's mobile device, for the channel `mobile`. Only activities for the same device are decided. */
export interface MobilePlatform {
  /** The name of the device model, which helps Target to detect the device. */
  readonly deviceName?: string | undefined;
  /** The kind of device. */
  readonly deviceType: 'phone' | 'tablet';
  /** The operating system. */
  readonly platformType: 'android' | 'ios';
  /** The version of the operating system, at most 128 characters. */
  readonly version?: string | undefined;
}

/** The mobile application. Only activities for the same application are decided. */
export interface Application {
  /** The id of the application, at most 250 characters. */
  readonly id?: string | undefined;
  /** The name of the application, at most 250 characters. */
  readonly name?: string | undefined;
  /** The version of the application, at most 128 characters. */
  readonly version?: string | undefined;
}

/** The visitor's screen. */
export interface Screen {
  /** The width of the screen in pixels. */
  readonly width?: number | undefined;
  /** The height of the screen in pixels. */
  readonly height?: number | undefined;
  /** The number of bits for the colour of one pixel. */
  readonly colorDepth?: number | undefined;
  /** The number of device pixels for one CSS pixel, which helps Target to detect the device. */
  readonly pixelRatio?: number | undefined;
  /** The orientation of the screen. Only activities for the same orientation are decided. */
  readonly orientation?: 'portrait' | 'landscape' | undefined;
}

/** The window of the visitor's browser. */
export interface Window {
  /** The width of the window in pixels. */
  readonly width?: number | undefined;
  /** The height of the window in pixels. */
  readonly height?: number | undefined;
}

/** The visitor's browser, for the channel `web`. */
export interface Browser {
  /** The host of the page. */
  readonly host?: string | undefined;
  /**
   * The languages of the visitor, in the format of the Accept-Language header.
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
   */
  readonly language?: string | undefined;
  /** The WebGL renderer of the browser, which helps Target to detect the device. */
  readonly webGLRenderer?: string | undefined;
}

/** The place of the visitor. When only an IP address is given, the place is looked up. */
export interface Geo {
  /**
   * The visitor's IPv4 or IPv6 address, or `unknownIpAddress`. With that word, an on-device look-up finds the place of
   * your server, and the edge gets no address. Any other text is left out with a warning.
   */
  readonly ipAddress?: string | undefined;
  /** The latitude in degrees. */
  readonly latitude?: number | undefined;
  /** The longitude in degrees. */
  readonly longitude?: number | undefined;
  /**
   * The country as an ISO 3166-1 alpha-2 code, such as `us`. On-device rules may also compare whole names, so a longer
   * text is used for them and not sent to the edge. The same holds for the three fields below.
   */
  readonly countryCode?: string | undefined;
  /** The state or region: the subdivision part of its ISO 3166-2 code, 1 to 3 characters. */
  readonly stateCode?: string | undefined;
  /** The name of the city, at most 50 characters. */
  readonly city?: string | undefined;
  /** The postal code, at most 12 characters. */
  readonly zip?: string | undefined;
}

/**
 * The User-Agent Client Hints of the visitor's browser, from its `Sec-CH-UA…` headers. They are used in place of the
 * user agent. The two lists of browsers are given as they came, and all other texts without their quotes.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/client-hints
 */
export interface ClientHints {
  /**
   * True for a mobile device (`Sec-CH-UA-Mobile`). The texts `'true'` and `'false'` and the header as it came (`?1`,
   * `?0`) are converted. Any other text is left out.
   */
  readonly mobile?: boolean | string | undefined;
  /** The device model (`Sec-CH-UA-Model`). */
  readonly model?: string | undefined;
  /** The operating system (`Sec-CH-UA-Platform`). */
  readonly platform?: string | undefined;
  /** The version of the operating system (`Sec-CH-UA-Platform-Version`). */
  readonly platformVersion?: string | undefined;
  /** The browsers with their major versions (`Sec-CH-UA`). */
  readonly browserUAWithMajorVersion?: string | undefined;
  /** The browsers with their full versions (`Sec-CH-UA-Full-Version-List`). */
  readonly browserUAWithFullVersion?: string | undefined;
  /** The processor architecture (`Sec-CH-UA-Arch`). */
  readonly architecture?: string | undefined;
  /** The number of bits of the processor architecture, such as `64` (`Sec-CH-UA-Bitness`). */
  readonly bitness?: string | undefined;
}

/** The page, browser, device and place of the visitor. */
export interface Context {
  /** The channel on which offers are shown. @default 'web' */
  readonly channel?: ChannelType | undefined;
  /** The visitor's mobile device, for the channel `mobile`. */
  readonly mobilePlatform?: MobilePlatform | undefined;
  /** The mobile application. */
  readonly application?: Application | undefined;
  /** The visitor's screen. */
  readonly screen?: Screen | undefined;
  /** The window of the visitor's browser. */
  readonly window?: Window | undefined;
  /** The visitor's browser, for the channel `web`. */
  readonly browser?: Browser | undefined;
  /** The URLs of the page. */
  readonly address?: Address | undefined;
  /** The place of the visitor. */
  readonly geo?: Geo | undefined;
  /**
   * The visitor's time offset from UTC in minutes, such as 120 for UTC+2.
   * @default the server's offset when the request has no context, else none
   */
  readonly timeOffsetInMinutes?: number | undefined;
  /** The User-Agent header of the visitor's browser. Target ignores the header of the delivery call itself. */
  readonly userAgent?: string | undefined;
  /** The User-Agent Client Hints of the visitor's browser. */
  readonly clientHints?: ClientHints | undefined;
  /** True when the edge is to answer 204 without a body. @default false */
  readonly beacon?: boolean | undefined;
}

/**
 * Data for Audience Manager.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/integration
 */
export interface AudienceManager {
  /**
   * The region of Audience Manager, an integer from 1. It is not Target's location hint.
   * @default the one in `visitorCookie`
   */
  readonly locationHint?: number | undefined;
  /** Encrypted data of the visitor for Audience Manager, 1 to 1024 characters. @default the one in `visitorCookie` */
  readonly blob?: string | undefined;
}

/**
 * Data for Analytics for Target (A4T).
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/integration
 */
export interface AnalyticsRequest {
  /**
   * The id that joins this call with the Analytics hit of the same page (SDID): 16 hexadecimal digits, a dash and 16
   * more. A text of another form is replaced by the visitor's own id, with a warning.
   * @default the visitor's own id
   */
  readonly supplementalDataId?: string | undefined;
  /**
   * The sender of the Analytics data. Only the edge makes payloads for `client_side`: `hybrid` asks the edge for them,
   * and `on-device` logs a warning.
   * @default 'server_side'
   */
  readonly logging?: LoggingType | undefined;
  /** The host of the Analytics tracking server, without `http://`. */
  readonly trackingServer?: string | undefined;
  /** The host of the Analytics tracking server for secure pages, without `https://`. */
  readonly trackingServerSecure?: string | undefined;
}

/**
 * Data for other products of Adobe Experience Cloud.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/integration
 */
export interface ExperienceCloud {
  /** Data for Audience Manager. */
  readonly audienceManager?: AudienceManager | undefined;
  /** Data for Analytics for Target. */
  readonly analytics?: AnalyticsRequest | undefined;
}

/** The property that limits a decision to its own activities. */
export interface Property {
  /** The token of the property (`at_property`). A property without a token is left out. */
  readonly token?: string | undefined;
}

/** A request for traces, which show how each decision was made. */
export interface Trace {
  /** The token from the Target user interface that allows traces. */
  readonly authorizationToken?: string | undefined;
  /** Facts for diagnosis, by name. */
  readonly usage?: Readonly<Record<string, string>> | undefined;
}

/** An experience to force in QA mode. */
export interface QAModePreviewIndex {
  /** The position of the activity in the list of the token, from 1. */
  readonly activityIndex?: number | undefined;
  /** The position of the experience in its activity, from 1. */
  readonly experienceIndex?: number | undefined;
}

/**
 * The settings of Activity QA, which lets testers see chosen experiences.
 * @see https://experienceleague.adobe.com/docs/target/using/activities/activity-qa/use-qa-mode-with-server-side-delivery.html
 */
export interface QAMode {
  /** The encrypted list of the activities that may be shown, from a QA link. */
  readonly token?: string | undefined;
  /** True when only the listed activities are shown, and no live ones. @default false */
  readonly listedActivitiesOnly?: boolean | undefined;
  /** The ids of audiences that the visitor counts as a member of. */
  readonly evaluateAsTrueAudienceIds?: readonly number[] | undefined;
  /** The ids of audiences that the visitor counts as not being a member of. */
  readonly evaluateAsFalseAudienceIds?: readonly number[] | undefined;
  /** The experiences to force. */
  readonly previewIndexes?: readonly QAModePreviewIndex[] | undefined;
}

/** The settings of preview mode, which shows how offers look in their locations. */
export interface Preview {
  /** The token of the preview. It has to belong to the same client code. */
  readonly token?: string | undefined;
}

/** The mbox that a notification reports. */
export interface NotificationMbox {
  /** The name of the mbox, at most 250 characters. */
  readonly name?: string | undefined;
  /** The state that came with the prefetched mbox. */
  readonly state?: string | undefined;
}

/** The view that a notification reports. */
export interface NotificationView {
  /** The name of the view, at most 128 characters. */
  readonly name?: string | undefined;
  /** The key of the view, at most 512 characters. */
  readonly key?: string | undefined;
  /** The state that came with the prefetched view. */
  readonly state?: string | undefined;
}

/** The page load that a notification reports. */
export interface NotificationPageLoad {
  /** The state that came with the prefetched page load. */
  readonly state?: string | undefined;
}

/**
 * A report that content was displayed or clicked. It names an mbox or a view, but not both.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/notifications
 *
 * @example
 * ```ts
 * const mbox = response.prefetch?.mboxes?.[0];
 * const notification: Notification = {
 *   id: crypto.randomUUID(),
 *   type: 'display',
 *   timestamp: Date.now(),
 *   tokens: mbox?.options?.flatMap(({ eventToken }) => eventToken ?? []),
 *   mbox: { name: mbox?.name, state: mbox?.state },
 * };
 * ```
 */
export interface Notification extends RequestDetails {
  /** The id of the notification, at most 200 characters. The response repeats the ids that were processed. */
  readonly id: string;
  /**
   * The id of the impression, at most 128 characters. Target counts notifications and requests with the same one once.
   */
  readonly impressionId?: string | undefined;
  /** The event to report. */
  readonly type: MetricType;
  /** The time of the event in ms since 1970. */
  readonly timestamp: number;
  /**
   * The event tokens of the options that were displayed, or of the metrics that were clicked. Empty entries are left
   * out.
   */
  readonly tokens?: readonly (string | undefined)[] | undefined;
  /** The mbox that was displayed or clicked. */
  readonly mbox?: NotificationMbox | undefined;
  /** The view that was displayed or clicked. */
  readonly view?: NotificationView | undefined;
  /** The page load that was displayed or clicked. */
  readonly pageLoad?: NotificationPageLoad | undefined;
}

/** The features of the SDK that a call used. */
export interface TelemetryFeatures {
  /** The decisioning method of the call. */
  readonly decisioningMethod?: DecisioningMethod;
  /** The number of mboxes to execute. */
  readonly executeMboxCount?: number;
  /** True when the page load was executed. */
  readonly executePageLoad?: boolean;
  /** The number of mboxes to prefetch. */
  readonly prefetchMboxCount?: number;
  /** True when the page load was prefetched. */
  readonly prefetchPageLoad?: boolean;
  /** The number of views to prefetch. */
  readonly prefetchViewCount?: number;
}

/** The parts of an HTTP exchange. Times are in ms with two decimals. */
export interface TelemetryRequest {
  /** The time of the DNS look-up. */
  readonly dns?: number;
  /** The time of the TLS handshake. */
  readonly tls?: number;
  /** The time until the first byte of the answer. */
  readonly timeToFirstByte?: number;
  /** The time from the first byte of the answer to the last. */
  readonly download?: number;
  /** The size of the answer in bytes. */
  readonly responseSize?: number;
}

/** Timing measurements of one call or artifact download. */
export interface TelemetryEntry {
  /** The id of the measured request. */
  readonly requestId: string;
  /** The time of the measurement in ms since 1970. */
  readonly timestamp: number;
  /** The side that did the work. */
  readonly mode?: ExecutionMode;
  /** The time of the whole work in ms, with two decimals. */
  readonly execution: number;
  /** The time for parsing the answer in ms, with two decimals. */
  readonly parsing?: number;
  /** The features that the call used. */
  readonly features?: TelemetryFeatures;
  /** The parts of the HTTP exchange. */
  readonly request?: TelemetryRequest;
  /** The token that the edge gave with the measured answer. */
  readonly telemetryServerToken?: string;
}

/** Timing measurements of earlier calls. */
export interface Telemetry {
  /** The measurements, one entry for each call. */
  readonly entries?: readonly TelemetryEntry[] | undefined;
}

/**
 * The body of a delivery call. A caller may write it more loosely: the package exports that type by this name.
 * @see https://developers.adobetarget.com/api/delivery-api/
 *
 * @example
 * ```ts
 * const request: DeliveryRequest = {
 *   context: { address: { url: 'https://shop.example/shoes' } },
 *   execute: { mboxes: [{ name: 'hero', parameters: { category: 'shoes' } }] },
 * };
 * ```
 */
export interface DeliveryRequest {
  /** The id of the request, at most 128 characters. The response repeats it. @default a new UUID */
  readonly requestId?: string | undefined;
  /**
   * The id of the impression, at most 128 characters. Target counts requests with the same one once.
   * @default a new UUID for a request with `execute`, else none
   */
  readonly impressionId?: string | undefined;
  /** The ids of the visitor. */
  readonly id?: VisitorId | undefined;
  /** The id of the Target environment, which is a group of hosts. @default the client's `environmentId` */
  readonly environmentId?: number | undefined;
  /** The property that limits the decision to its own activities. @default the client's `propertyToken` */
  readonly property?: Property | undefined;
  /** Asks for traces of the decisions. */
  readonly trace?: Trace | undefined;
  /** The page, browser, device and place of the visitor. */
  readonly context?: Context | undefined;
  /** Data for other products of Adobe Experience Cloud. */
  readonly experienceCloud?: ExperienceCloud | undefined;
  /** The locations that are shown at once. */
  readonly execute?: ExecuteRequest | undefined;
  /** The locations that may be shown later. */
  readonly prefetch?: PrefetchRequest | undefined;
  /** Timing measurements of earlier calls. The client adds its own. */
  readonly telemetry?: Telemetry | undefined;
  /** Reports of content that was displayed or clicked. Only the edge processes them. */
  readonly notifications?: readonly Notification[] | undefined;
  /**
   * The settings of Activity QA. Only the edge knows them: `hybrid` asks the edge, and `on-device` logs a warning and
   * decides as for any visitor.
   */
  readonly qaMode?: QAMode | undefined;
  /**
   * The settings of preview mode. Only the edge knows them: `hybrid` asks the edge, and `on-device` logs a warning and
   * decides as for any visitor.
   */
  readonly preview?: Preview | undefined;
}

/** An {@link MboxRequest} in the form in which it is sent. It always has an index, and its parameters are strings. */
export interface ResolvedMboxRequest extends MboxRequest {
  readonly index: number;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly profileParameters?: Readonly<Record<string, string>>;
}

/**
 * A {@link DeliveryRequest} in the form in which it is sent: a checked copy of the caller's request, with its defaults.
 */
export interface ResolvedDeliveryRequest extends DeliveryRequest {
  readonly requestId: string;
  readonly context: Context & { readonly channel: ChannelType };
  readonly execute?: ExecuteRequest & { readonly mboxes?: readonly ResolvedMboxRequest[] | undefined };
  readonly prefetch?: PrefetchRequest & { readonly mboxes?: readonly ResolvedMboxRequest[] | undefined };
}

/** The Analytics data of one decision, which the page sends with `client_side` logging. */
export interface AnalyticsPayload {
  /** The kind of the data. It tells Analytics that the data comes from Target. */
  pe?: string;
  /** The activity and experience of the decision, in a code that Analytics reads. */
  tnta?: string;
}

/** Analytics data of a metric or location. */
export interface AnalyticsResponse {
  /** The data to send to Analytics. */
  payload?: AnalyticsPayload;
}

/** Facts about the activity, experience, location and visitor behind an option, by names such as `activity.name`. */
export type ResponseTokens = Record<string, JsonValue>;

/** The trace of a decision. The edge and the on-device decider write it in different shapes. */
export type TraceResponse = Record<string, JsonValue>;

/** One page change of the Visual Experience Composer. */
export interface Action {
  /** The kind of change, such as `setHtml`. */
  type?: string;
  /** The selector of the element, in the composer's own syntax. */
  selector?: string;
  /** The CSS selector of the element. */
  cssSelector?: string;
  /** The new content. */
  content?: JsonValue;
  [field: string]: JsonValue | undefined;
}

/** An offer of a decision: content to show, and the token to report it with. */
export interface Option {
  /** The kind of the content. */
  type?: OptionType;
  /**
   * The content: a string for `html`, `redirect` and `dynamic`, any value for `json`, a list of {@link Action} for
   * `actions`.
   */
  content?: JsonValue;
  /** The token to send in a notification when the content is displayed. Only prefetched options have one. */
  eventToken?: string;
  /** Facts about the activity, experience, location and visitor behind the option. */
  responseTokens?: ResponseTokens;
}

/** An event that a notification can report. */
export interface Metric {
  /** The kind of event. */
  type?: MetricType;
  /** The selector of the element to watch. */
  selector?: string;
  /** The token to send in a notification when the event happens. */
  eventToken?: string;
  /** The Analytics data of the event, with `client_side` logging. */
  analytics?: AnalyticsResponse;
}

/** The fields that the answers of mboxes, views and page loads share. */
export interface LocationResponse {
  /** The offers to show. It is absent when nothing matched. */
  options?: Option[];
  /** The events to report. */
  metrics?: Metric[];
  /** The Analytics data of the location, with `client_side` logging. */
  analytics?: AnalyticsResponse;
  /** The state to send back in notifications of the location. Only prefetched locations have one. */
  state?: string;
  /** The trace of the decision, when the request asked for traces. */
  trace?: TraceResponse;
}

/** The answer for an mbox. It has no options when nothing matched. */
export interface MboxResponse extends LocationResponse {
  /** The index of the mbox in the request. */
  index?: number;
  /** The name of the mbox. */
  name?: string;
}

/** The answer for a page load. */
export interface PageLoadResponse extends LocationResponse {}

/** The answer for a view. */
export interface ViewResponse extends LocationResponse {
  /** The name of the view. */
  name?: string;
  /** The key of the view. */
  key?: string;
}

/** The answers for executed locations. */
export interface ExecuteResponse {
  /** The answer for the page load. */
  pageLoad?: PageLoadResponse;
  /** The answers for the mboxes. */
  mboxes?: MboxResponse[];
}

/** The answers for prefetched locations. */
export interface PrefetchResponse {
  /** The answers for the views. Views that match nothing are left out. */
  views?: ViewResponse[];
  /** The answer for the page load. */
  pageLoad?: PageLoadResponse;
  /** The answers for the mboxes. */
  mboxes?: MboxResponse[];
  /** Click events of activities with views that belong to no single view. */
  metrics?: Metric[];
}

/** The answer for a notification that was processed. One that was not processed has no answer. */
export interface NotificationResponse {
  /** The id of the notification. */
  id?: string;
  /** The trace of the processing, when the request asked for traces. */
  trace?: TraceResponse;
}

/** The ids of the visitor in an answer. */
export interface VisitorIdResponse {
  /** Target's id of the device, with its location hint. */
  tntId?: string;
  /** The site's own id of the visitor. */
  thirdPartyId?: string;
  /** The Experience Cloud id (ECID). */
  marketingCloudVisitorId?: string;
  /** Further ids of the visitor. */
  customerIds?: CustomerId[];
}

/**
 * The answer of the Delivery API. Fields that are not listed here are kept as they came.
 * @see https://developers.adobetarget.com/api/delivery-api/
 */
export interface DeliveryResponse {
  /** The status of the decision: 200, or 206 when some locations can only be decided on the edge. */
  status?: number;
  /** The id of the request. */
  requestId?: string;
  /** The ids of the visitor. */
  id?: VisitorIdResponse;
  /** The client code. */
  client?: string;
  /** The host of the edge cluster that answered, such as `mboxedge35.tt.omtrdc.net`. On-device answers have none. */
  edgeHost?: string;
  /** The answers for executed locations. */
  execute?: ExecuteResponse;
  /** The answers for prefetched locations. */
  prefetch?: PrefetchResponse;
  /** The notifications that were processed. */
  notifications?: NotificationResponse[];
  /** A token of the edge, which the telemetry entry of this call carries. */
  telemetryServerToken?: string;
}

/** The path of a delivery call. @internal */
export const DELIVERY_PATH = '/rest/v1/delivery';

const MAX_INT_32 = 2 ** 31 - 1;

/** The limits of a visitor's ids. Bundles of middleware have these limits alone. See {@link EDGE_LIMITS}. @internal */
export const VISITOR_ID_LIMITS = {
  tntId: 128,
  thirdPartyId: 256,
  marketingCloudVisitorId: 128,
  customerIds: 50,
} as const;

/** The limits of the URLs of a page. @internal */
export const ADDRESS_LIMITS = { url: 4096, referringUrl: 4096 } as const;

/** The limits of reports of displays and clicks. @internal */
export const NOTIFICATION_LIMITS = {
  Notification: { id: 200, impressionId: 128 },
  NotificationMbox: { name: 250 },
  NotificationView: { name: 128, key: 512 },
} as const;

/** The limits of data for Audience Manager. @internal */
export const AUDIENCE_MANAGER_LIMITS = { blob: 1024 } as const;

/**
 * The limits of the Delivery API, by component and field of its OpenAPI files. A limit is the number of characters of a
 * text, the number of items of a list, or the largest number. Where Adobe's page of limits allows more, that page
 * counts.
 * @see https://experienceleague.adobe.com/en/docs/target/using/troubleshoot/target-limits
 * @internal
 */
export const EDGE_LIMITS = {
  DeliveryRequest: { requestId: 128, impressionId: 128 },
  VisitorId: VISITOR_ID_LIMITS,
  CustomerId: { id: 128, integrationCode: 50 },
  MobilePlatform: { version: 128 },
  Application: { id: 250, name: 250, version: 128 },
  Address: ADDRESS_LIMITS,
  Geo: { countryCode: 2, stateCode: 3, city: 50, zip: 12 },
  AudienceManager: AUDIENCE_MANAGER_LIMITS,
  AnalyticsRequest: { supplementalDataId: 33 },
  ExecuteRequest: { mboxes: 50 },
  PrefetchRequest: { mboxes: 50 },
  MboxRequest: { index: MAX_INT_32 },
  ViewRequest: { name: 128, key: 512 },
  /** The edge accepts values longer than `profileValue`, but Target's profiles do not store them. */
  Parameters: { count: 100, name: 128, value: 5000, profileValue: 256 },
  /**
   * The limit `purchasedProductId` applies to each id, `purchasedProductIds` to all ids with the commas between them.
   */
  Order: { id: 250, purchasedProductId: 50, purchasedProductIds: 250, experienceLocalId: MAX_INT_32 },
  Product: { id: 128, categoryId: 256 },
  ...NOTIFICATION_LIMITS,
} as const;
