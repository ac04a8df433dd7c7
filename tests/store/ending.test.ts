/** What an operator's decision to end a run does to the ledger entry, in competition with its owner [R14]. */
import { expect, test } from '@jest/globals';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import {
  at,
  block,
  claim,
  describeStores,
  done,
  failed,
  giveBack,
  giveUp,
  insertQueued,
  newUserId,
  type Ports,
  requeue,
  retry,
  theEntry,
} from './store-contract.ts';

const guard = (userId: string, attempt = 1, token = 7) => ({ userId, seq: 1, token, attempt });
const error = { name: 'RunEndedError', message: 'ended' };
const end = (userId: string, token = 8): LedgerChange => {
  const counts = { interruptions: 1, forgiven: 1 };
  return { ...guard(userId, 1, token), at: at(40), kind: 'end', error, ...counts };
};
const isApplied = async (ports: Ports, change: LedgerChange) => (await ports.ledger.commit([change]))[0]?.applied;

const running = async (ports: Ports): Promise<string> => {
  const userId = newUserId();
  await insertQueued(ports, userId, 1);
  await ports.ledger.commit([claim(guard(userId))]);
  return userId;
};
const request = ({ ledger }: Ports, userId: string, second = 30) => ledger.requestEnd({ userId, seq: 1 }, at(second));

describeStores('the end of a run by an operator', (ports) => {
  test('is recorded once, and shows in every read', async () => {
    const userId = await running(ports);
    expect([await request(ports, userId), await request(ports, userId, 31)]).toEqual([true, false]);
    const id = { userId, seq: 1 };
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'processing', endRequestedAt: at(30) });
    expect(await ports.ledger.readHeads([id])).toMatchObject([{ endRequestedAt: at(30) }]);
    expect(await ports.ledger.readWork([{ ...id, withBody: false }])).toMatchObject([{ endRequestedAt: at(30) }]);
  });

  test('is refused for a request that does not run', async () => {
    const userId = newUserId();
    expect(await request(ports, userId)).toBe(false);
    await insertQueued(ports, userId, 1);
    expect(await request(ports, userId)).toBe(false);
    await ports.ledger.commit([claim(guard(userId))]);
    await ports.ledger.commit([retry(guard(userId))]);
    expect(await request(ports, userId)).toBe(false);
    await ports.ledger.commit([claim(guard(userId, 2))]);
    await ports.ledger.commit([done(guard(userId, 2))]);
    expect(await request(ports, userId)).toBe(false);
    expect(await theEntry(ports, userId, 1)).not.toHaveProperty('endRequestedAt');
  });

  test.each([
    ['blocked', block],
    ['in its back-off', retry],
  ])('is not mistaken for an operator’s skip of what is %s', async (_, change) => {
    const userId = await running(ports);
    await request(ports, userId);
    await ports.ledger.commit([change(guard(userId))]);
    expect(await ports.ledger.skip({ userId, seq: 1 }, at(35))).toBe(true);
    expect(await isApplied(ports, end(userId, 7))).toBe(false);
  });

  test.each<[what: string, change: ((userId: string) => LedgerChange) | undefined]>([
    ['interrupted', undefined],
    ['queued again', (userId) => requeue(guard(userId))],
    ['given back', (userId) => giveBack(guard(userId))],
    ['in its back-off', (userId) => retry(guard(userId))],
    ['blocked', (userId) => block(guard(userId))],
  ])('lets the owner give up what is %s, and nobody claim it', async (_, change) => {
    const userId = await running(ports);
    await request(ports, userId);
    if (change) expect(await isApplied(ports, change(userId))).toBe(true);
    expect(await isApplied(ports, claim(guard(userId, 2, 8)))).toBe(false);
    expect(await isApplied(ports, end(userId, 6))).toBe(false);
    expect(await isApplied(ports, end(userId))).toBe(true);
    // Its answer may be lost: then it is sent again.
    expect(await isApplied(ports, end(userId))).toBe(true);
    const entry = await theEntry(ports, userId, 1);
    const deadLetter = { reason: 'ended', at: at(40) };
    expect(entry).toMatchObject({ status: 'failed', token: 8, attempts: 1, error, deadLetter, settledAt: at(40) });
    expect(entry).not.toHaveProperty('retryAt');
  });

  test.each<[what: string, change: (userId: string) => LedgerChange, status: string]>([
    ['done', (userId) => done(guard(userId)), 'done'],
    ['failed', (userId) => failed(guard(userId)), 'failed'],
    ['given up', (userId) => giveUp(guard(userId, 1, 7), 'failed'), 'failed'],
  ])('changes nothing about a request that is %s', async (_, change, status) => {
    const userId = await running(ports);
    await request(ports, userId);
    expect(await isApplied(ports, change(userId))).toBe(true);
    const before = await theEntry(ports, userId, 1);
    expect(before.status).toBe(status);
    expect(await isApplied(ports, end(userId))).toBe(false);
    expect(await theEntry(ports, userId, 1)).toEqual(before);
  });

  test('lets nobody give a request up whose run was not ended', async () => {
    const userId = await running(ports);
    expect(await isApplied(ports, end(userId))).toBe(false);
    expect(await theEntry(ports, userId, 1)).toMatchObject({ status: 'processing', token: 7 });
  });
});
