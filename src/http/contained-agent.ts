import { sockets } from '#platform';
import { quietly } from '../call-safely.js';
import { toError } from '../errors.js';
import { isObject, isThenable } from '../json.js';

/** The part of a Node request that a failure of its agent ends. */
interface AgentRequest {
  readonly socket: unknown;
  onSocket(socket: undefined, error: Error): void;
}

type Method = (...values: unknown[]) => unknown;
type Done = (error: Error | null, connection?: object) => void;

/** The views of the callers' agents. An agent has only one, so connections that it keeps know only one agent. */
const views = new WeakMap<object, object>();

/**
 * Returns a view of the caller's agent whose failures end one request and not the process. Node ignores what the
 * methods of an agent return. So nobody would hear of the rejection of an asynchronous one.
 *
 * The agent itself is not changed. Methods of the caller get the agent as `this`, because they may use private fields.
 * Node's own methods get the view, so that they call the caller's methods through it.
 */
export function contained(agent: object): object {
  const known = views.get(agent);
  // A function of the caller may have chosen something else than an agent. Node refuses it, or takes its own agent.
  if (known || !isObject(agent)) {
    return known ?? agent;
  }
  // The target of the proxy is not the agent, because a proxy must return the methods of a frozen target unchanged.
  const view = new Proxy<object>(Object.create(agent), {
    get: (_, name) => {
      const value: unknown = Reflect.get(agent, name);
      return typeof value === 'function' && !sockets?.isOfAgents(name, value)
        ? guarded(agent, name, value)
        : value;
    },
    set: (_, name, value) => Reflect.set(agent, name, value),
  });
  views.set(agent, view);
  return view;
}

function guarded(agent: object, name: PropertyKey, method: unknown): unknown {
  const call: Method = (...values) => Reflect.apply(method as Method, agent, values);
  switch (name) {
    case 'addRequest':
      return guardedRequest(call);
    case 'createSocket':
      return guardedSocket(call);
    case 'createConnection':
      return guardedConnection(call);
    case 'getName':
    case 'keepSocketAlive':
    case 'removeSocket':
    case 'reuseSocket':
      return (...values: unknown[]) => {
        const result = call(...values);
        quietly(() => result);
        return result;
      };
    default:
      return method;
  }
}

/** Guards `addRequest(request, options)`, which every request of an agent begins with. */
function guardedRequest(call: Method): Method {
  return (request, ...rest) => {
    const result = call(request, ...rest);
    if (isThenable(result)) {
      result.then(undefined, (thrown: unknown) => end(request as AgentRequest, thrown));
    }
    return result;
  };
}

/** Guards `createSocket(request, options, done)`, which an agent calls when a request needs a new connection. */
function guardedSocket(call: Method): Method {
  return (request, options, done) => {
    try {
      const result = call(request, options, done);
      if (isThenable(result)) {
        result.then(undefined, (thrown: unknown) => end(request as AgentRequest, thrown));
      }
    } catch (thrown) {
      end(request as AgentRequest, thrown);
    }
  };
}

/**
 * Guards `createConnection(options, done)`. The function returns its connection, or passes it to `done`. Node would take
 * a promise for a connection, so `done` gets what an asynchronous function resolves to.
 * @see https://nodejs.org/api/http.html#agentcreateconnectionoptions-callback
 */
function guardedConnection(call: Method): Method {
  return (options, given) => {
    if (typeof given !== 'function') {
      return call(options, given);
    }
    const done = given as Done;
    const fail = (thrown: unknown) => quietly(() => done(toError(thrown)));
    try {
      const result = call(options, done);
      if (!isThenable(result)) {
        return result;
      }
      result
        .then((connection) => {
          if (!isObject(connection)) {
            throw new TypeError('the agent made no connection');
          }
          done(null, connection);
        })
        .then(undefined, fail);
    } catch (thrown) {
      fail(thrown);
    }
    return undefined;
  };
}

/**
 * Ends a request that has no connection yet. A request with a connection needs its agent no more. `destroy` would wait
 * for the connection before it reports the error.
 */
function end(request: AgentRequest, thrown: unknown): void {
  if (!request.socket) {
    quietly(() => request.onSocket(undefined, toError(thrown)));
  }
}
