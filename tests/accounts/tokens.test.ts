import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { tokenKeysOf } from '../../lib/accounts/token-secrets.ts';
import { signToken, verifyToken } from '../../lib/accounts/tokens.ts';
import { VerifiedTokens } from '../../lib/accounts/verified-tokens.ts';
import type { TokenSecret } from '../../lib/deps.ts';

const secret = 'a-secret-of-at-least-32-characters';
const key = createSecretKey(Buffer.from(secret));
const identity = { userId: 'u1', sessionId: 's1' };
const now = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const exp = later(60).getTime() / 1_000;
const code = (value: string) => expect.objectContaining({ status: 401, code: value });
const refused = (token: string, at = now, used: TokenSecret = secret, ...others: TokenSecret[]): unknown => {
  try {
    return verifyToken(token, [used, ...others], at);
  } catch (error) {
    return error;
  }
};

describe('tokens', () => {
  test('a token is valid until the second in which it expires, however often it was verified', () => {
    const token = signToken(identity, later(60), secret);
    for (const used of [secret, key]) {
      for (const at of [now, later(59)]) expect(verifyToken(token, [used], at)).toEqual(identity);
      expect(refused(token, later(60), used)).toEqual(code('expired-token'));
      // The clock was set back.
      expect(verifyToken(token, [used], later(59))).toEqual(identity);
    }
  });

  test('a token that one secret has verified is refused by another', () => {
    const token = signToken(identity, later(60), key);
    expect(verifyToken(token, [key], now)).toEqual(identity);
    expect(refused(token, now, createSecretKey(Buffer.from(`${secret}!`)))).toEqual(code('invalid-token'));
    expect(refused(`${token.slice(0, -4)}AAAA`, now, key)).toEqual(code('invalid-token'));
  });

  test('every secret verifies, and the first one signs', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
    const keys = tokenKeysOf(`${a} ${b}\n${c}\n`);
    expect(keys).toHaveLength(3);
    const signedBy = (key: TokenSecret) => signToken(identity, later(60), key);
    for (const key of keys) expect(verifyToken(signedBy(key), keys, now)).toEqual(identity);
    expect(signedBy(keys[0])).toBe(signedBy(a ?? ''));
    expect(refused(signedBy(secret), now, ...keys)).toEqual(code('invalid-token'));
    for (const key of keys) expect(refused(signedBy(key), later(60), ...keys)).toEqual(code('expired-token'));
  });

  test.each([
    'a phrase with blanks and more than 32 characters',
    `${'a'.repeat(32)} ${'b'.repeat(31)}`,
    'a'.repeat(32),
  ])('%s is one secret', (text) => {
    const [key, ...others] = tokenKeysOf(text);
    expect(others).toEqual([]);
    expect(signToken(identity, later(60), key)).toBe(signToken(identity, later(60), text));
  });

  test('of the verified tokens those that were not used for longest are forgotten', () => {
    const tokens = new VerifiedTokens();
    for (let count = 0; count < 10_000; count += 1) tokens.add(`t${count}`, { ...identity, exp });
    tokens.find('t0', 0);
    tokens.add('one more', { ...identity, exp });
    expect(['t0', 't1', 't2', 'one more'].map((token) => tokens.find(token, 0) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('a token has only sub, sid and exp, and is signed with HS256', () => {
    const decoded = jwt.decode(signToken(identity, later(60), secret), { complete: true });
    expect(decoded?.payload).toEqual({ sub: 'u1', sid: 's1', exp });
    expect(decoded?.header).toEqual({ alg: 'HS256', typ: 'JWT' });
  });

  test.each([
    ['signed with another secret', signToken(identity, later(60), `${secret}!`)],
    ['not signed at all', jwt.sign({ sub: 'u1', sid: 's1', exp }, null, { algorithm: 'none' })],
    ['signed with another algorithm', jwt.sign({ sub: 'u1', sid: 's1', exp }, secret, { algorithm: 'HS512' })],
    ['without an expiry', jwt.sign({ sub: 'u1', sid: 's1' }, secret)],
    ['without a session', jwt.sign({ sub: 'u1', exp }, secret)],
    ['whose session is not a string', jwt.sign({ sub: 'u1', sid: { $ne: '' }, exp }, secret)],
    ['whose payload is text', jwt.sign('text', secret)],
    ['not a token', 'abc'],
    ['empty', ''],
  ])('a token %s is refused', (_what, token) => {
    expect(refused(token)).toEqual(code('invalid-token'));
  });
});
