/** What the log has of an operator's decisions about dead letters: who, what, about whom, and how it went. On real servers, without a worker. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../lib/errors.ts';
import type { Call } from '../../lib/http/call.ts';
import { decideSelected } from '../../lib/http/decide-selected.ts';
import { userWithDeadLetter } from '../requests/dead-lettered.ts';
import { info, readableLog } from '../support/log-lines.ts';
import { openWorld, type TestUser, type World } from '../support/world.ts';

let world: World;
let user: TestUser;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  user = await userWithDeadLetter(world, 'failed');
});

/** An operator's call with this body. `ledger`: what of it is not real. */
const decide = async (action: 'retry' | 'drop', json: object, ledger: Partial<World['stores']['ledger']> = {}) => {
  const { log, lines } = readableLog();
  const deps = { ...world.deps, log, ledger: { ...world.stores.ledger, ...ledger } };
  // A decision reads nothing else of a call.
  const call = { deps, json, identity: { userId: 'olga', sessionId: 's' } } as unknown as Call;
  const failure = await decideSelected(call, action).then(
    () => undefined,
    (error: Error) => error,
  );
  return { failure, lines };
};

test('listed dead letters are logged with their ids', async () => {
  const items = [
    { user: user.userId, seq: 1 },
    { user: user.userId, seq: 7 },
    { user: 'nobody', seq: 1 },
  ];
  const { lines } = await decide('drop', { items });
  const logged = { action: 'drop', items: [`${user.userId}:1`, `${user.userId}:7`], decided: 1, refused: 2 };
  expect(lines).toEqual([expect.objectContaining({ level: info, userId: 'olga', ...logged })]);
});

test('those of one user are logged with the user', async () => {
  const { lines } = await decide('retry', { user: user.userId });
  expect(lines.filter(({ action }) => action)).toEqual([
    expect.objectContaining({ userId: 'olga', action: 'retry', about: user.userId, decided: 1, refused: 0 }),
  ]);
});

test('those of everybody are logged as such', async () => {
  const { lines } = await decide('drop', { all: true });
  expect(lines).toEqual([expect.objectContaining({ userId: 'olga', action: 'drop', about: 'all', refusedBy: {} })]);
});

test('a decision that fails half-way is logged too', async () => {
  const dropDeadLetter = () => Promise.reject(new StoreUnavailableError('gone'));
  const { failure, lines } = await decide('drop', { user: user.userId }, { dropDeadLetter });
  expect(failure).toBeInstanceOf(StoreUnavailableError);
  expect(lines).toEqual([expect.objectContaining({ userId: 'olga', action: 'drop', about: user.userId })]);
  expect(lines[0]).not.toHaveProperty('decided');
});
