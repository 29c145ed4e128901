import { proxies } from '#platform';
import { invalidOption, TargetError } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import type { AgentOption, FetchApi } from './fetch-api.js';
import type { ProxyRules } from './proxy-rules.js';

/** The options that decide about proxies. */
export interface ProxyOptions {
  readonly proxy?: 'environment' | undefined;
  readonly agent?: AgentOption | undefined;
  readonly fetchApi?: FetchApi | undefined;
}

/**
 * Returns the proxies of the environment, if calls go through them. Undefined when the option `proxy` is not set or is
 * ignored, or when no variable names a proxy.
 * @throws TargetError `ERR_TARGET_INVALID_CONFIG` when `proxy` is set beside an agent, or a variable holds no URL of a
 * proxy
 */
export function toProxies({ proxy, agent, fetchApi }: ProxyOptions, logger: Logger): ProxyRules | undefined {
  const hasOwnConnections =
    agent !== undefined || (fetchApi !== undefined && ownFieldOf(fetchApi, 'proxied') === undefined);
  const { variableNames = [], brokenVariable, rules } = proxies?.read() ?? {};
  if (proxy === undefined) {
    if (!hasOwnConnections && variableNames.length > 0) {
      logger.debug(() => toUnusedLine(variableNames));
    }
    return undefined;
  }
  if (agent) {
    throw invalidOption('proxy', 'absent beside an agent, which has its own connections', proxy);
  }
  if (hasOwnConnections) {
    logger.warn('proxy is ignored: a fetchApi has its own connections');
    return undefined;
  }
  if (brokenVariable === undefined) {
    return rules;
  }
  // The message leaves out the value, which may hold a password.
  const message = `proxy: the variable ${brokenVariable} must hold an http or https URL`;
  throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path: 'proxy' });
}

function toUnusedLine(variableNames: readonly string[]): string {
  return `proxies of the environment are not used (${variableNames.join(', ')}): the option proxy: 'environment' turns them on`;
}
