/**
 * The Delivery API's JSON (`POST /rest/v1/delivery`) with the names of Adobe's OpenAPI files. What a caller
 * writes is loose (`DeliveryRequest`: most fields may be left out or undefined) and read-only; what comes back
 * (`DeliveryResponse`) is the caller's own to change.
 */

/** Where activities are shown. @default 'web' */
export type ChannelType = 'web' | 'mobile';
/** Whether a customer id belongs to somebody who is logged in. */
export type AuthenticatedState = 'unknown' | 'authenticated' | 'logged_out';
/** Whether Analytics data is sent by the edge (`server_side`) or by the page (`client_side`). */
export type LoggingType = 'server_side' | 'client_side';
/** What a notification or metric reports. */
export type MetricType = 'click' | 'display';
/** What an option's content is. */
export type OptionType = 'html' | 'json' | 'redirect' | 'dynamic' | 'actions';
/** Where offers are decided: on the edge, in this process, or here with the edge for what cannot be decided here. */
export type DecisioningMethod = 'server-side' | 'on-device' | 'hybrid';
/** Where a telemetry entry's work was done. */
export type ExecutionMode = 'edge' | 'local';

/** Any value that JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A customer id as the Delivery API takes it. */
export interface CustomerId {
  /** At most 128 characters. */
  readonly id: string;
  /** Alias of the customer-record data source; at most 50 characters. */
  readonly integrationCode: string;
  readonly authenticatedState: AuthenticatedState;
}

/** The ids of the visitor. Each is at most 128 characters, `thirdPartyId` at most 256. */
export interface VisitorId {
  /** Target's device id, with its location hint (`xxxx.35_0`) once Target gave one. */
  readonly tntId?: string | undefined;
  /** The site's own id of a visitor who is known. */
  readonly thirdPartyId?: string | undefined;
  /** The ECID. */
  readonly marketingCloudVisitorId?: string | undefined;
  /** At most 50. */
  readonly customerIds?: readonly CustomerId[] | undefined;
}

/** The URLs that audiences can be made of. */
export interface Address {
  /** More than 4096 characters are cut. */
  readonly url?: string | undefined;
  /** More than 4096 characters are cut. */
  readonly referringUrl?: string | undefined;
}

/**
 * Names and values that audiences, profiles and macros can read. At most 100; a name has 1 to 128 characters and
 * does not start with `profile.`; a value has at most 5000. Numbers and booleans are sent as strings.
 */
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** An order, for conversion metrics. */
export interface Order {
  /** At most 250 characters. */
  readonly id?: string | undefined;
  readonly total?: number | undefined;
  /** Each at most 50 characters, all with their commas at most 250. */
  readonly purchasedProductIds?: readonly string[] | undefined;
  /** ISO 8601, or a date that is sent as such. */
  readonly time?: string | Date | undefined;
  readonly experienceLocalId?: number | undefined;
  readonly duplicate?: boolean | undefined;
  readonly outlier?: boolean | undefined;
}

/** A product, for recommendations. The id has at most 128 characters, the category at most 256. */
export interface Product {
  readonly id?: string | undefined;
  readonly categoryId?: string | undefined;
}

/** What mboxes, views, page loads and notifications have in common. */
export interface RequestDetails {
  /** Replaces the request's own address for this location. */
  readonly address?: Address | undefined;
  readonly parameters?: Parameters | undefined;
  readonly profileParameters?: Parameters | undefined;
  /** Counted by the edge: `hybrid` asks it, `on-device` sends it with the display notification, or warns that there is none. */
  readonly order?: Order | undefined;
  /** Counted by the edge, like `order`. */
  readonly product?: Product | undefined;
}

/** One mbox to decide. */
export interface MboxRequest extends RequestDetails {
  /** The mbox's name; an mbox without one is left out. */
  readonly name: string;
  /** Finds the answer of this mbox in the response. @default its position in the list */
  readonly index?: number | undefined;
}

/** One view of a single-page app to prefetch; without a name, all of them. */
export interface ViewRequest extends RequestDetails {
  /** At most 128 characters. */
  readonly name?: string | undefined;
  /** At most 512 characters. */
  readonly key?: string | undefined;
}

/** What is shown now: impressions are counted. At least one of the two is needed. */
export interface ExecuteRequest {
  readonly pageLoad?: RequestDetails | undefined;
  /** The edge takes at most 50. */
  readonly mboxes?: readonly MboxRequest[] | undefined;
}

/** What may be shown later: impressions are counted by the notifications that follow. At least one is needed. */
export interface PrefetchRequest {
  readonly views?: readonly ViewRequest[] | undefined;
  readonly pageLoad?: RequestDetails | undefined;
  /** The edge takes at most 50. */
  readonly mboxes?: readonly MboxRequest[] | undefined;
}

/** The mobile platform, for the channel `mobile`. */
export interface MobilePlatform {
  readonly deviceName?: string | undefined;
  readonly deviceType: 'phone' | 'tablet';
  readonly platformType: 'android' | 'ios';
  /** At most 128 characters. */
  readonly version?: string | undefined;
}

/** The mobile application. */
export interface Application {
  /** At most 250 characters. */
  readonly id?: string | undefined;
  /** At most 250 characters. */
  readonly name?: string | undefined;
  /** At most 128 characters. */
  readonly version?: string | undefined;
}

/** The visitor's screen. */
export interface Screen {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly colorDepth?: number | undefined;
  readonly pixelRatio?: number | undefined;
  readonly orientation?: 'portrait' | 'landscape' | undefined;
}

/** The browser's window. */
export interface Window {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** The visitor's browser, for the channel `web`. */
export interface Browser {
  readonly host?: string | undefined;
  /** As in the Accept-Language header. */
  readonly language?: string | undefined;
  readonly webGLRenderer?: string | undefined;
}

/** Where the visitor is. With an IP address alone, the place is looked up. */
export interface Geo {
  /** IPv4 or IPv6, or `unknownIpAddress`; anything else is left out with a warning. */
  readonly ipAddress?: string | undefined;
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  /** ISO 3166-1 alpha-2. Whole names, here and below, are for on-device rules: what is longer is not sent. */
  readonly countryCode?: string | undefined;
  /** The subdivision of ISO 3166-2, 1 to 3 characters. */
  readonly stateCode?: string | undefined;
  /** At most 50 characters. */
  readonly city?: string | undefined;
  /** At most 12 characters. */
  readonly zip?: string | undefined;
}

/**
 * The `Sec-CH-UA…` headers of the visitor's browser, which win over the user agent: the lists of brands (`browserUA…`) as
 * they came, all other texts without their quotes.
 */
export interface ClientHints {
  /** A boolean, `'true'` or `'false'`, or the header as it came (`?1`, `?0`). Any other text is left out. */
  readonly mobile?: boolean | string | undefined;
  readonly model?: string | undefined;
  readonly platform?: string | undefined;
  readonly platformVersion?: string | undefined;
  readonly browserUAWithMajorVersion?: string | undefined;
  readonly browserUAWithFullVersion?: string | undefined;
  readonly architecture?: string | undefined;
  readonly bitness?: string | undefined;
}

/** Where and on what the offers will be shown. */
export interface Context {
  /** @default 'web' */
  readonly channel?: ChannelType | undefined;
  readonly mobilePlatform?: MobilePlatform | undefined;
  readonly application?: Application | undefined;
  readonly screen?: Screen | undefined;
  readonly window?: Window | undefined;
  readonly browser?: Browser | undefined;
  readonly address?: Address | undefined;
  readonly geo?: Geo | undefined;
  /** Minutes from UTC. @default the server's, when no context is given at all */
  readonly timeOffsetInMinutes?: number | undefined;
  /** The visitor's; the HTTP header of this process is not looked at. */
  readonly userAgent?: string | undefined;
  readonly clientHints?: ClientHints | undefined;
  /** The edge answers 204 without a body. @default false */
  readonly beacon?: boolean | undefined;
}

/** Audience Manager. Its location hint is not Target's. */
export interface AudienceManager {
  /** At least 1. */
  readonly locationHint?: number | undefined;
  /** 1 to 1024 characters. */
  readonly blob?: string | undefined;
}

/** Analytics for Target. */
export interface AnalyticsRequest {
  /** Two times 16 hexadecimal digits with a dash between; another form is replaced. @default a new one */
  readonly supplementalDataId?: string | undefined;
  /** @default 'server_side' */
  readonly logging?: LoggingType | undefined;
  /** Without `http://`. */
  readonly trackingServer?: string | undefined;
  /** Without `https://`. */
  readonly trackingServerSecure?: string | undefined;
}

/** The other Experience Cloud products. */
export interface ExperienceCloud {
  readonly audienceManager?: AudienceManager | undefined;
  readonly analytics?: AnalyticsRequest | undefined;
}

/** Limits the decision to one property's activities. */
export interface Property {
  readonly token?: string | undefined;
}

/** Asks for a trace of how each decision was made. */
export interface Trace {
  readonly authorizationToken?: string | undefined;
  readonly usage?: Readonly<Record<string, string>> | undefined;
}

/** One experience to force in QA mode; both count from 1. */
export interface QAModePreviewIndex {
  readonly activityIndex?: number | undefined;
  readonly experienceIndex?: number | undefined;
}

/** Activity QA: which activities, audiences and experiences to force. */
export interface QAMode {
  readonly token?: string | undefined;
  readonly listedActivitiesOnly?: boolean | undefined;
  readonly evaluateAsTrueAudienceIds?: readonly number[] | undefined;
  readonly evaluateAsFalseAudienceIds?: readonly number[] | undefined;
  readonly previewIndexes?: readonly QAModePreviewIndex[] | undefined;
}

/** Preview mode. */
export interface Preview {
  readonly token?: string | undefined;
}

/** The mbox a notification is about. */
export interface NotificationMbox {
  /** At most 250 characters. */
  readonly name?: string | undefined;
  /** As it came with the prefetched mbox. */
  readonly state?: string | undefined;
}

/** The view a notification is about. */
export interface NotificationView {
  readonly name?: string | undefined;
  readonly key?: string | undefined;
  /** As it came with the prefetched view. */
  readonly state?: string | undefined;
}

/** The page load a notification is about. */
export interface NotificationPageLoad {
  /** As it came with the prefetched page load. */
  readonly state?: string | undefined;
}

/** What was displayed or clicked. */
export interface Notification extends RequestDetails {
  /** The response lists the ids that were processed. At most 200 characters. */
  readonly id: string;
  /** A second notification with the same impression id is not counted. At most 128 characters. */
  readonly impressionId?: string | undefined;
  readonly type: MetricType;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Event tokens of the options or metrics that were displayed or clicked. Empty entries are left out. */
  readonly tokens?: readonly (string | undefined)[] | undefined;
  readonly mbox?: NotificationMbox | undefined;
  readonly view?: NotificationView | undefined;
  readonly pageLoad?: NotificationPageLoad | undefined;
}

/** Which features of the SDK a call used. */
export interface TelemetryFeatures {
  readonly decisioningMethod?: DecisioningMethod;
  readonly executeMboxCount?: number;
  readonly executePageLoad?: boolean;
  readonly prefetchMboxCount?: number;
  readonly prefetchPageLoad?: boolean;
  readonly prefetchViewCount?: number;
}

/** How long the parts of an HTTP exchange took, in milliseconds with two decimals, and the size of its answer. */
export interface TelemetryRequest {
  readonly dns?: number;
  readonly tls?: number;
  readonly timeToFirstByte?: number;
  readonly download?: number;
  /** Bytes. */
  readonly responseSize?: number;
}

/** What one call cost. */
export interface TelemetryEntry {
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly mode?: ExecutionMode;
  /** Milliseconds with two decimals. */
  readonly execution: number;
  /** Milliseconds with two decimals. */
  readonly parsing?: number;
  readonly features?: TelemetryFeatures;
  readonly request?: TelemetryRequest;
  readonly telemetryServerToken?: string;
}

/** Measurements of earlier calls. */
export interface Telemetry {
  readonly entries?: readonly TelemetryEntry[] | undefined;
}

/** The body of a delivery call. Callers may write it more loosely: the package exports that type by this name. */
export interface DeliveryRequest {
  /** At most 128 characters. @default a new UUID */
  readonly requestId?: string | undefined;
  /** A second request with the same impression id is not counted. At most 128 characters. */
  readonly impressionId?: string | undefined;
  readonly id?: VisitorId | undefined;
  /** @default the client's `environmentId` */
  readonly environmentId?: number | undefined;
  /** @default the client's `propertyToken` */
  readonly property?: Property | undefined;
  readonly trace?: Trace | undefined;
  readonly context?: Context | undefined;
  readonly experienceCloud?: ExperienceCloud | undefined;
  readonly execute?: ExecuteRequest | undefined;
  readonly prefetch?: PrefetchRequest | undefined;
  readonly telemetry?: Telemetry | undefined;
  readonly notifications?: readonly Notification[] | undefined;
  /** Understood by the edge alone: `hybrid` asks it, `on-device` ignores the mode and warns. */
  readonly qaMode?: QAMode | undefined;
  /** Understood by the edge alone: `hybrid` asks it, `on-device` ignores the mode and warns. */
  readonly preview?: Preview | undefined;
}

/** A {@link MboxRequest} as it is sent: with an index. */
export interface ResolvedMboxRequest extends MboxRequest {
  readonly index: number;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly profileParameters?: Readonly<Record<string, string>>;
}

/** A {@link DeliveryRequest} as it is sent: checked, with its defaults, and a copy of what the caller wrote. */
export interface ResolvedDeliveryRequest extends DeliveryRequest {
  readonly requestId: string;
  readonly context: Context & { readonly channel: ChannelType };
  readonly execute?: ExecuteRequest & { readonly mboxes?: readonly ResolvedMboxRequest[] | undefined };
  readonly prefetch?: PrefetchRequest & { readonly mboxes?: readonly ResolvedMboxRequest[] | undefined };
}

/** Analytics payload to send from the page, with `client_side` logging. */
export interface AnalyticsPayload {
  pe?: string;
  tnta?: string;
}

/** Analytics data of an option, metric or location. */
export interface AnalyticsResponse {
  payload?: AnalyticsPayload;
}

/** Facts about the activity, experience, location and visitor behind an option. */
export type ResponseTokens = Record<string, JsonValue>;

/** The trace of a decision; its shape depends on who decided. */
export type TraceResponse = Record<string, JsonValue>;

/** One action of the Visual Experience Composer. */
export interface Action {
  type?: string;
  selector?: string;
  cssSelector?: string;
  content?: JsonValue;
  [field: string]: JsonValue | undefined;
}

/** An offer: content to show, with what is needed to report it. */
export interface Option {
  type?: OptionType;
  /** A string (html, redirect, dynamic), any JSON (json) or a list of {@link Action} (actions). */
  content?: JsonValue;
  /** Prefetch only: to be sent in a notification when the content was displayed. */
  eventToken?: string;
  responseTokens?: ResponseTokens;
}

/** An event that can be reported with its token. */
export interface Metric {
  type?: MetricType;
  selector?: string;
  eventToken?: string;
  analytics?: AnalyticsResponse;
}

/** What every decided location has. */
export interface LocationResponse {
  options?: Option[];
  metrics?: Metric[];
  analytics?: AnalyticsResponse;
  /** Prefetch only: to be sent back in the location's notification. */
  state?: string;
  trace?: TraceResponse;
}

/** The decision for an mbox; without options when nothing matched. */
export interface MboxResponse extends LocationResponse {
  /** As in the request. */
  index?: number;
  name?: string;
}

/** The decision for a page load. */
export interface PageLoadResponse extends LocationResponse {}

/** The decision for a view. */
export interface ViewResponse extends LocationResponse {
  name?: string;
  key?: string;
}

/** What was executed. */
export interface ExecuteResponse {
  pageLoad?: PageLoadResponse;
  mboxes?: MboxResponse[];
}

/** What was prefetched. */
export interface PrefetchResponse {
  views?: ViewResponse[];
  pageLoad?: PageLoadResponse;
  mboxes?: MboxResponse[];
  metrics?: Metric[];
}

/** A notification that was processed; one that is absent was not. */
export interface NotificationResponse {
  id?: string;
  trace?: TraceResponse;
}

/** The visitor's ids in an answer. */
export interface VisitorIdResponse {
  tntId?: string;
  thirdPartyId?: string;
  marketingCloudVisitorId?: string;
  customerIds?: CustomerId[];
}

/** The answer of the Delivery API. Fields that are not listed here pass through untouched. */
export interface DeliveryResponse {
  status?: number;
  requestId?: string;
  id?: VisitorIdResponse;
  /** Client code. */
  client?: string;
  /** The edge cluster that answered, such as `mboxedge35.tt.omtrdc.net`. */
  edgeHost?: string;
  execute?: ExecuteResponse;
  prefetch?: PrefetchResponse;
  notifications?: NotificationResponse[];
  telemetryServerToken?: string;
}

/**
 * The path of a delivery call.
 * @internal
 */
export const DELIVERY_PATH = '/rest/v1/delivery';

const MAX_INT_32 = 2 ** 31 - 1;

/**
 * The table of the Delivery API's limits, by component and field of its OpenAPI files: the characters of a text, the items of
 * a list, the greatest value of a number. Adobe's page of limits wins where it allows more.
 * @see https://experienceleague.adobe.com/en/docs/target/using/troubleshoot/target-limits
 * @internal
 */
export const EDGE_LIMITS = {
  DeliveryRequest: { requestId: 128, impressionId: 128 },
  VisitorId: { tntId: 128, thirdPartyId: 256, marketingCloudVisitorId: 128, customerIds: 50 },
  CustomerId: { id: 128, integrationCode: 50 },
  MobilePlatform: { version: 128 },
  Application: { id: 250, name: 250, version: 128 },
  Address: { url: 4096, referringUrl: 4096 },
  Geo: { countryCode: 2, stateCode: 3, city: 50, zip: 12 },
  AudienceManager: { blob: 1024 },
  AnalyticsRequest: { supplementalDataId: 33 },
  ExecuteRequest: { mboxes: 50 },
  PrefetchRequest: { mboxes: 50 },
  MboxRequest: { index: MAX_INT_32 },
  ViewRequest: { name: 128, key: 512 },
  /** The edge takes values longer than `profileValue`, but Target's profiles do not hold them. */
  Parameters: { count: 100, name: 128, value: 5000, profileValue: 256 },
  /** The limit `purchasedProductId` is of each id, `purchasedProductIds` of all ids with the commas between them. */
  Order: { id: 250, purchasedProductId: 50, purchasedProductIds: 250, experienceLocalId: MAX_INT_32 },
  Product: { id: 128, categoryId: 256 },
  Notification: { id: 200, impressionId: 128 },
  NotificationMbox: { name: 250 },
  NotificationView: { name: 128, key: 512 },
} as const;
