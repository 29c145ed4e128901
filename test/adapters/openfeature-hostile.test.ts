import { describe, expect, test } from '@jest/globals';
import { ErrorCode } from '@openfeature/server-sdk';
import { TargetProvider, type TargetProviderOptions } from '../../src/adapters/openfeature.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { withEdge } from '../with-edge.js';

const bench = withEdge();

describe('values that cannot be read', () => {
  const fail = (): never => {
    throw new Error('SECRET');
  };
  const revoked = (): never => {
    const { proxy, revoke } = Proxy.revocable<object>({}, {});
    revoke();
    return proxy as never;
  };
  const getterOf = (name: string): never =>
    Object.defineProperty({}, name, { get: fail, enumerable: true }) as never;
  const methods = ['server-side', 'on-device'] as const;

  test.each(methods)(
    'of the context are named, and are no defect of the package: %s',
    async (decisioningMethod) => {
      const artifactPayload = flagsArtifact();
      const provider = new TargetProvider(bench.connect({ decisioningMethod, artifactPayload }));
      await provider.initialize();
      const read = (context: unknown) =>
        provider.resolveBooleanEvaluation('flags.beta', true, context as never);
      for (const [context, path] of [
        [revoked(), 'context'],
        [getterOf('plan'), 'context.plan'],
      ]) {
        const details = await read(context);
        expect([details.value, details.errorCode]).toEqual([true, ErrorCode.INVALID_CONTEXT]);
        expect(details.errorMessage).toBe(`${path} could not be read`);
      }
      const proxies = [revoked(), new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail })];
      for (const value of [...proxies, { [Symbol.toStringTag]: 'Date' }, new Array(4e9), Symbol('s'), 5n]) {
        for (const name of ['plan', 'visit', 'url', 'customerIds']) {
          const { errorMessage = '' } = await read({ [name]: value });
          expect(errorMessage).not.toMatch(/defect|SECRET/);
        }
      }
      await provider.onClose();
    },
  );

  test.each(methods)('of the options name the option: %s', async (decisioningMethod) => {
    const client = bench.connect({ decisioningMethod, artifactPayload: flagsArtifact() });
    const read = (options: TargetProviderOptions) =>
      new TargetProvider(client, options).resolveBooleanEvaluation('flags.beta', true, { targetingKey: 'u' });
    for (const [options, name] of [
      [{ toCall: revoked }, 'toCall'],
      [{ toCall: () => getterOf('timeout') }, 'toCall'],
      [{ toCall: () => ({ parameters: revoked() }) }, 'request'],
      [{ toCall: () => ({ request: revoked() }) }, 'request'],
      [{ flag: revoked }, 'flag'],
      [{ flag: () => getterOf('mbox') }, 'flag'],
      [{ flag: () => ({ mbox: 'flags', key: Symbol('s') as never }) }, 'flag'],
      [{ targetingKey: revoked }, 'targetingKey'],
    ] as const) {
      const { value, errorMessage = '' } = await read(options);
      expect(value).toBe(true);
      expect(errorMessage).toContain(name);
      expect(errorMessage).not.toMatch(/defect|SECRET/);
    }
    for (const name of ['mbox', 'flag', 'toCall', 'targetingKey']) {
      expect(() => new TargetProvider(client, { [name]: revoked() })).toThrow(
        expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path: name }),
      );
    }
    expect(() => new TargetProvider(client, revoked())).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'options' }),
    );
  });

  test('of a conversion are warnings', () => {
    const provider = new TargetProvider(bench.connect({ logger: {} }));
    for (const value of [revoked(), Symbol('s'), getterOf('a')]) {
      expect(() => provider.track(value as never, value as never, value as never)).not.toThrow();
      expect(() => provider.track('signup', {}, value as never)).not.toThrow();
    }
  });
});
