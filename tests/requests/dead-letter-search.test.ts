/** Dead letters by their reason: found in order, page after page, at a cost that is bounded for each call. On real servers, without a worker. */
import { expect, test } from '@jest/globals';
import type { DeadLetterCursor } from '../../lib/ports.ts';
import { cursorOf, listDeadLetters } from '../../lib/requests/dead-letters.ts';
import type { DeadLetterReason } from '../../lib/types.ts';
import { claim, retry } from '../store/store-contract.ts';
import { openWorld, type TestUser, type World } from '../support/world.ts';
import { deadLetter } from './dead-lettered.ts';

const start = Date.now() - 3_600_000;

/** Dead-letters the next requests of the user, each a second after the one before. */
const withReasons = async (world: World, user: TestUser, reasons: DeadLetterReason[]): Promise<void> => {
  for (const [index, reason] of reasons.entries()) {
    await world.enqueue(user, index + 1);
    await deadLetter(world, user, 'failed', [index + 1], { at: new Date(start + index * 1_000), reason });
  }
};

test('a search finds those with the reason alone, in their order, and says where to go on', async () => {
  await using world = await openWorld();
  const user = await world.user();
  await withReasons(world, user, ['failed', 'ended', 'failed', 'crashed', 'ended', 'failed']);
  const search = async (reason: DeadLetterReason, limit: number, after?: DeadLetterCursor, maxChars?: number) => {
    const { letters, searched } = await listDeadLetters({ reason, limit, after, maxChars }, world.deps);
    return { seqs: letters.map(({ seq }) => seq), searched, last: letters.at(-1) };
  };
  expect(await search('failed', 9)).toMatchObject({ seqs: [1, 3, 6], searched: undefined });
  const first = await search('failed', 2);
  expect(first).toMatchObject({ seqs: [1, 3], searched: { seq: 3 } });
  expect(await search('failed', 2, first.searched)).toMatchObject({ seqs: [6], searched: undefined });
  expect(await search('interrupted', 9)).toMatchObject({ seqs: [], searched: undefined });
});

test('a call looks at 1,000 dead letters at most, and the next one goes on behind them', async () => {
  await using world = await openWorld();
  const user = await world.user();
  const count = 1_010;
  const at = (seq: number) => new Date(start + seq);
  const seqs = Array.from({ length: count }, (_, index) => index + 1);
  const entries = seqs.map((seq) => ({ userId: user.userId, seq, body: '1', acceptedAt: at(seq) }));
  await world.stores.ledger.insertInOrder(entries);
  await deadLetter(world, user, 'failed', seqs.slice(0, -1), { at: at(0) });
  await deadLetter(world, user, 'failed', [count], { at: at(count), reason: 'ended' });
  const first = await listDeadLetters({ reason: 'ended', limit: 10 }, world.deps);
  expect(first.letters).toEqual([]);
  expect(first.searched).toBeDefined();
  const second = await listDeadLetters({ reason: 'ended', limit: 10, after: first.searched }, world.deps);
  expect(second).toMatchObject({ letters: [{ seq: count }], searched: undefined });
  expect(cursorOf(second.letters[0] as (typeof second.letters)[number])).toMatchObject({ seq: count });
});

test('a page ends soon after the bodies together exceed `maxChars`, and the next one misses none', async () => {
  await using world = await openWorld();
  const user = await world.user();
  await withReasons(world, user, Array<DeadLetterReason>(20).fill('ended'));
  const first = await listDeadLetters({ reason: 'ended', limit: 100, maxChars: 10 }, world.deps);
  expect(first.letters.length).toBeLessThan(20);
  const rest = await listDeadLetters({ reason: 'ended', limit: 100, after: first.searched }, world.deps);
  const found = [...first.letters, ...rest.letters].map(({ seq }) => seq);
  expect(found).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test('a search leaves the attempts out, as every list does', async () => {
  await using world = await openWorld();
  const user = await world.user();
  await world.enqueue(user, 'a');
  const guard = { userId: user.userId, seq: 1, token: 1, attempt: 1 };
  await world.stores.ledger.commit([claim(guard)]);
  await world.stores.ledger.commit([retry(guard)]);
  const again = { ...guard, attempt: 2 };
  await world.stores.ledger.commit([claim(again)]);
  await world.stores.ledger.commit([
    {
      ...again,
      kind: 'settle',
      status: 'failed',
      at: new Date(),
      error: { name: 'Error', message: 'no' },
      reason: 'failed',
    },
  ]);
  expect(await world.entry(user, 1)).toHaveProperty('attemptLog');
  const { letters } = await listDeadLetters({ reason: 'failed', limit: 9 }, world.deps);
  expect(letters).toMatchObject([{ seq: 1, body: '"a"' }]);
  expect(letters[0]).not.toHaveProperty('attemptLog');
});
