import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { signToken, verifyToken } from '../../lib/accounts/tokens.ts';

const secret = 'a-secret-of-at-least-32-characters';
const identity = { userId: 'u1', sessionId: 's1' };
const now = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const exp = later(60).getTime() / 1_000;
const code = (value: string) => expect.objectContaining({ status: 401, code: value });
const refused = (token: string, at = now): unknown => {
  try {
    return verifyToken(token, secret, at);
  } catch (error) {
    return error;
  }
};

describe('tokens', () => {
  test('a token is valid until the second in which it expires', () => {
    const token = signToken(identity, later(60), secret);
    expect(verifyToken(token, secret, later(59))).toEqual(identity);
    expect(refused(token, later(60))).toEqual(code('expired-token'));
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
