import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TargetEdge } from '../../src/testing/edge.js';
import { startTargetEdge } from '../../src/testing/edge.js';

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({
    geo: {
      '1.2.3.4': { city: 'SÃO PAULO 東', stateCode: 'SP', countryCode: 'BR', latitude: -23.5, longitude: 0 },
      '2001:DB8::1': { city: 'HAMBURG' },
      '127.0.0.1': { city: 'HOME' },
    },
  });
});
afterAll(() => edge.close());

async function lookUp(forwardedFor?: string): Promise<{ body: Record<string, unknown>; headers: Headers }> {
  const headers = forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor };
  const answer = await fetch(`${edge.url}/v1/geo`, { headers });
  expect(answer.status).toBe(200);
  return { body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
}

test('a place is named in the body and in the headers', async () => {
  const { body, headers } = await lookUp('1.2.3.4');
  expect(body).toEqual({
    'x-geo-city': 'SÃO PAULO 東',
    'x-geo-region-code': 'SP',
    'x-geo-country-code': 'BR',
    'x-geo-latitude': -23.5,
    'x-geo-longitude': 0,
    'x-forwarded-for': '1.2.3.4',
  });
  const texts = Object.keys(body).map((name) => [
    name,
    Buffer.from(headers.get(name) ?? '', 'latin1').toString(),
  ]);
  expect(texts).toEqual(Object.entries(body).map(([name, value]) => [name, String(value)]));
});

test('the first address of several is the visitor', async () => {
  expect((await lookUp('2001:db8::1, 10.0.0.1')).body['x-geo-city']).toBe('HAMBURG');
});

test('without an address it is the one that asks', async () => {
  expect((await lookUp()).body).toEqual({ 'x-geo-city': 'HOME', 'x-forwarded-for': '127.0.0.1' });
});

test.each(['9.9.9.9', '__proto__', 'constructor'])('of %s nothing is known but itself', async (address) => {
  expect((await lookUp(address)).body).toEqual({ 'x-forwarded-for': address });
});

test('places are replaced on command, and one can stand for all others', async () => {
  const other = await startTargetEdge();
  const cityOf = async (address: string) => {
    const answer = await fetch(`${other.url}/v1/geo`, { headers: { 'X-Forwarded-For': address } });
    return answer.headers.get('x-geo-city');
  };
  expect(await cityOf('1.2.3.4')).toBe(null);
  other.setGeo({ '1.2.3.4': { city: 'BERN' }, default: { city: 'a\r\nSet-Cookie: b' } });
  expect(await cityOf('1.2.3.4')).toBe('BERN');
  expect(await cityOf('5.6.7.8')).toBe('a  Set-Cookie: b');
  await other.close();
});
