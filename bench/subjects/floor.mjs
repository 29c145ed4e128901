/**
 * The floor: the same answers, by hand. Each list of rules becomes one function that is written as text, which a
 * library may not do (`new Function` is forbidden where there is a content security policy). It checks nothing,
 * cleans nothing and knows only what the scenarios ask.
 */
import { randomFillSync, randomUUID } from 'node:crypto';
import { Sink } from '../sink.mjs';
import { CLIENT, ORGANIZATION } from '../visitors.mjs';
import { allocation, prefixOf } from './floor-allocation.mjs';
import { conditionSource, ruleListSource } from './floor-source.mjs';

const SESSION_SECONDS = 1860;
const DEVICE_SECONDS = 63_244_800;
const DELIVERY = `https://${CLIENT}.tt.omtrdc.net/rest/v1/delivery?imsOrgId=${encodeURIComponent(ORGANIZATION)}&sessionId=`;

/** A stand-in for a client that decides from an artifact and sends its notifications to a sink. */
export async function startOnDevice(artifact) {
  const sink = new Sink();
  return { client: createFloor(artifact, sink), sink };
}

/** A stand-in for a client of the artifact: `getOffers`, and `decide` for the bare decision. */
export function createFloor(artifact, sink) {
  const lists = compile(artifact);
  const queue = [];
  const flush = () => {
    for (const [url, body] of queue.splice(0)) {
      sink.fetch(url, { method: 'POST', headers: newHeaders(), body });
    }
  };
  const send = (sessionId, request, notifications) => {
    const { id, context, experienceCloud } = request;
    const body = JSON.stringify({ requestId: randomUUID(), context, id, experienceCloud, notifications });
    if (queue.push([DELIVERY + sessionId, body]) === 1) {
      setImmediate(flush);
    }
  };
  return {
    decide: (name, tntId) => lists.choose(name, { visitor: tntId }),
    getOffers: async ({ request }) => answer(request, lists, send),
    getAttributes: async (names, { request }) => attributes(names, request, lists, send),
  };
}

function newHeaders() {
  return {
    'Content-Type': 'application/json',
    'X-EXC-SDK': 'AdobeTargetNode',
    'X-EXC-SDK-Version': '0.1.0',
    'X-Request-Id': randomUUID(),
  };
}

function answer(given, lists, send) {
  const now = Date.now();
  const sdid = newSdid();
  const sessionId = newHex();
  const { id, context, execute, prefetch } = given;
  const requestId = randomUUID();
  const experienceCloud = { analytics: { logging: 'server_side', supplementalDataId: sdid } };
  // Either of them, and the keys in a fixed order: a spread costs as much as the rest of the answer.
  const request = execute
    ? { id, context, execute, requestId, impressionId: randomUUID(), experienceCloud }
    : { id, context, prefetch, requestId, experienceCloud };
  const { impressionId } = request;
  const call = {
    facts: factsOf(context),
    visitor: id.tntId,
    now,
    impressionId,
    notifications: [],
    tokens: [],
  };
  const response = {
    status: 200,
    requestId,
    id: { tntId: id.tntId },
    client: CLIENT,
  };
  if (execute) {
    response.execute = executed(execute, lists, call);
  }
  if (prefetch) {
    response.prefetch = prefetched(prefetch, lists, call);
  }
  if (call.notifications.length > 0) {
    send(sessionId, request, call.notifications);
  }
  return toResult(request, response, { sessionId, sdid, now, tokens: call.tokens });
}

function attributes(names, { id, context, prefetch }, lists, send) {
  const execute = prefetch ? undefined : { mboxes: names.map((name, index) => ({ name, index })) };
  const { response } = answer({ id, context, execute, prefetch }, lists, send);
  const { mboxes } = response.execute ?? response.prefetch;
  const contents = new Map(mboxes.map(({ name, options }) => [name, options[0].content]));
  return { getValue: (name, key) => contents.get(name)[key] };
}

function toResult(request, response, { sessionId, sdid, now, tokens }) {
  const seconds = Math.ceil(now / 1000);
  const device = `PC#${request.id.tntId}#${seconds + DEVICE_SECONDS}`;
  const result = {
    visitorState: {
      [ORGANIZATION]: {
        sdid: {
          supplementalDataIDCurrent: sdid,
          supplementalDataIDCurrentConsumed: { 'payload:target-global-mbox': true },
          supplementalDataIDLastConsumed: {},
        },
      },
    },
    request,
    response,
    targetCookie: {
      name: 'mbox',
      value: `session#${sessionId}#${seconds + SESSION_SECONDS}|${device}`,
      maxAge: DEVICE_SECONDS,
    },
    meta: { decisioningMethod: 'on-device', remoteMboxes: [], remoteViews: [] },
    status: { status: 200, message: 'OK', remoteMboxes: [], remoteViews: [] },
    decisioningMethod: 'on-device',
  };
  if (tokens.length > 0) {
    result.responseTokens = tokens;
  }
  return result;
}

function executed({ mboxes, pageLoad }, lists, call) {
  const response = {};
  if (mboxes) {
    const shown = new Set();
    response.mboxes = mboxes.map((mbox) => {
      const answered = lists.mbox(mbox.name, 'executed')(mbox, call, shown);
      return answered ?? { name: mbox.name, index: mbox.index };
    });
  }
  if (pageLoad) {
    response.pageLoad = lists.pageLoad(pageLoad, call, new Set());
  }
  return response;
}

function prefetched({ mboxes, views }, lists, call) {
  const response = {};
  if (mboxes) {
    response.mboxes = mboxes.map(
      (mbox) => lists.mbox(mbox.name, 'prefetched')(mbox, call) ?? { name: mbox.name, index: mbox.index },
    );
  }
  if (views) {
    response.views = lists.views(views[0], call);
  }
  return response;
}

/** One function per list of rules, and what their texts call by name. */
function compile({ rules, responseTokens, globalMbox }) {
  const activities = [...Object.values(rules.mboxes), ...Object.values(rules.views ?? {})].flat();
  const prefixes = new Map(
    activities.map(({ activityId }) => [activityId, prefixOf(`${CLIENT}.${activityId}.`)]),
  );
  const known = { prefixes, allocation, randomUUID };
  const build = (source) => new Function('known', source)(known);
  const mboxes = (mode) =>
    new Map(
      Object.entries(rules.mboxes).map(([name, list]) => [
        name,
        lazily(() => build(ruleListSource(list, { name, mode, responseTokens, kind: 'mbox' }))),
      ]),
    );
  const byMode = { executed: mboxes('executed'), prefetched: mboxes('prefetched') };
  const views = Object.entries(rules.views ?? {}).map(([name, list]) =>
    lazily(() => build(ruleListSource(list, { name, mode: 'prefetched', responseTokens, kind: 'view' }))),
  );
  const pageLoad = lazily(() =>
    build(
      ruleListSource(rules.mboxes[globalMbox] ?? [], {
        name: globalMbox,
        mode: 'executed',
        responseTokens,
        kind: 'pageLoad',
      }),
    ),
  );
  const choices = new Map(
    Object.entries(rules.mboxes).map(([name, list]) => [name, lazily(() => build(choiceSource(list)))]),
  );
  return {
    mbox: (name, mode) => byMode[mode].get(name)?.() ?? (() => undefined),
    views: (view, call) => views.map((list) => list()(view, call)).filter((found) => found !== undefined),
    pageLoad: (...call) => pageLoad()(...call),
    choose: (name, call) => choices.get(name)()(call),
  };
}

function lazily(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

/** The bare decision: the number of the first rule that holds. */
function choiceSource(list) {
  const { activityId } = list[0];
  const tests = list.map(({ condition }, index) => `if (${conditionSource(condition)}) return ${index};`);
  return `const prefix = known.prefixes.get(${JSON.stringify(activityId)});
    return ({ visitor }) => { const allocation = known.allocation(prefix, visitor); ${tests.join('\n')} };`;
}

const factsByUrl = new Map();

/** What conditions see of page and browser; a service sees the same ones again and again. */
function factsOf({ address, userAgent }) {
  const url = address?.url;
  let factsByAgent = factsByUrl.get(url);
  if (!factsByAgent) {
    if (factsByUrl.size > 1000) {
      factsByUrl.clear();
    }
    factsByAgent = new Map();
    factsByUrl.set(url, factsByAgent);
  }
  let facts = factsByAgent.get(userAgent);
  if (!facts) {
    if (factsByAgent.size > 1000) {
      factsByAgent.clear();
    }
    facts = { user: browserOf(userAgent), page: url ? pageOf(url) : {} };
    factsByAgent.set(userAgent, facts);
  }
  return facts;
}

function browserOf(userAgent = '') {
  const browserType = ['edg', 'firefox', 'chrome', 'safari'].find((name) =>
    userAgent.toLowerCase().includes(name),
  );
  return { browserType: browserType === 'edg' ? 'edge' : browserType };
}

function pageOf(url) {
  const { hostname, pathname } = new URL(url);
  return { url_lc: url.toLowerCase(), path: pathname, domain: hostname.split('.').slice(-2).join('.') };
}

const random = Buffer.alloc(16 * 256);
let used = random.length;

/** 32 hexadecimal digits. */
function newHex() {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += 16;
  return random.hexSlice(used - 16, used);
}

function newSdid() {
  const hex = newHex().toUpperCase();
  return `${hex.slice(0, 16)}-${hex.slice(16)}`;
}
