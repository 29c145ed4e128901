import { describe, expect, test } from '@jest/globals';
import { decodeBinaryArtifact, toArtifact } from '../src/artifact.js';
import { TargetError } from '../src/errors.js';
import { artifactOf, rule } from './fixtures/rules.js';

describe('an artifact', () => {
  test('is taken as it is when its shape is right', () => {
    const artifact = artifactOf({ hero: [rule('hero')] }, { home: [] });
    expect(toArtifact(artifact)).toBe(artifact);
  });

  test.each([
    ['without lists and views', { version: '1.0.0', rules: {} }],
    [
      'with null where there may be nothing',
      { version: '1.2.3', rules: { mboxes: null }, remoteViews: null, meta: null },
    ],
    ['with fields nobody knows', { version: '1', rules: { mboxes: {}, other: 5 }, other: [] }],
    [
      'with a malformed rule, which costs only its own location',
      { version: '1.0.0', rules: { mboxes: { a: [null, {}] } } },
    ],
  ])('%s is accepted', (_how, artifact) => {
    expect(() => toArtifact(artifact)).not.toThrow();
  });

  test.each([
    ['null', null, 'artifact', 'null'],
    ['a list', [], 'artifact', 'an array of 0'],
    ['something else', { hello: 'world' }, 'version', 'undefined'],
    ['a version that is a number', { version: 1, rules: {} }, 'version', 'the number 1'],
    ['no rules', { version: '1.0.0' }, 'rules', 'undefined'],
    ['rules in a list', { version: '1.0.0', rules: [] }, 'rules', 'an array of 0'],
    ['mboxes in a list', { version: '1.0.0', rules: { mboxes: [] } }, 'rules.mboxes', 'an array of 0'],
    [
      'a location without a list',
      { version: '1.0.0', rules: { views: { a: {} } } },
      'rules.views.a',
      'an object',
    ],
    [
      'a name list that is a text',
      { version: '1.0.0', rules: {}, localMboxes: 'a' },
      'localMboxes',
      'a string of 1',
    ],
    [
      'a name that is none',
      { version: '1.0.0', rules: {}, remoteViews: ['a', 7] },
      'remoteViews[1]',
      'the number 7',
    ],
    [
      'a global mbox that is no name',
      { version: '1.0.0', rules: {}, globalMbox: {} },
      'globalMbox',
      'an object',
    ],
    ['meta that is a text', { version: '1.0.0', rules: {}, meta: 'x' }, 'meta', 'a string of 1'],
  ])('that is %s is refused, naming what is wrong', (_what, artifact, path, got) => {
    const error = thrownBy(() => toArtifact(artifact));
    expect(error).toMatchObject({ code: 'ERR_TARGET_ARTIFACT', path });
    expect(error.message).toContain(`${path} must be`);
    expect(error.message).toContain(got);
  });

  test.each(['2.0.0', '99.0.0', '10.0.0', '0.9', 'x', ''])('of version %j is refused', (version) => {
    expect(thrownBy(() => toArtifact({ version, rules: {} }))).toMatchObject({
      code: 'ERR_TARGET_ARTIFACT',
      path: 'version',
    });
  });
});

describe('a binary artifact', () => {
  const organizationId = 'örg@AdobeOrg';
  const key = '0123456789abcdef0123456789ABCDEF';

  function encode(text: string, header = `ATOD:001${key}`): Uint8Array {
    const mask = Buffer.from(organizationId + key);
    const body = Buffer.from(text).map((byte, i) => byte ^ (mask[i % mask.length] ?? 0));
    return Buffer.concat([Buffer.from(header, 'latin1'), body]);
  }

  test.each(['', '{}', JSON.stringify(artifactOf({ hero: [rule('hero', { shows: '日本 – ünïcode' })] }))])(
    'is decoded with the organization id and the key of its header: %#',
    (text) => {
      const bytes = encode(text);
      const before = Buffer.from(bytes);
      expect(decodeBinaryArtifact(bytes, organizationId)).toBe(text);
      expect(Buffer.from(bytes)).toEqual(before);
    },
  );

  test.each([
    ['too short', Buffer.from('ATOD:001')],
    ['JSON', Buffer.from(JSON.stringify(artifactOf({})))],
    ['of another version', encode('{}', `ATOD:002${key}`)],
    ['of a version that is none', encode('{}', `ATOD:0x1${key}`)],
    ['not UTF-8 when it is decoded', Buffer.concat([encode('{}'), Buffer.from([0, 0xff, 0xfe, 1, 2])])],
    ['empty', new Uint8Array()],
  ])('that is %s is refused', (_what, bytes) => {
    expect(thrownBy(() => decodeBinaryArtifact(bytes, organizationId))).toMatchObject({
      code: 'ERR_TARGET_ARTIFACT',
    });
  });
});

function thrownBy(work: () => unknown): TargetError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(TargetError);
    return error as TargetError;
  }
  throw new Error('nothing was thrown');
}
