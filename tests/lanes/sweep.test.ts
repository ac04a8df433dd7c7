/** The users that a sweep wakes, at times that the test chooses. `STUCK_AFTER_MS` is five seconds here. */
import { expect, test } from '@jest/globals';
import { createSweep } from '../../lib/lanes/sweep.ts';
import {
  at,
  claim,
  describeStores,
  done,
  insertQueued,
  newUser,
  type Ports,
  takeTickets,
} from '../store/store-contract.ts';

/** The sweeps of one worker. Each resolves to those of `users` that it woke. */
const sweeper = (ports: Ports, ...users: string[]) => {
  let now = at(0);
  const woken = new Set<string>();
  const sweep = createSweep(
    {
      ...ports,
      clock: { now: () => now },
      publisher: {
        async publishWake(_lane: number, userId: string) {
          woken.add(userId);
          return 'routed' as const;
        },
      },
      config: { stuckAfterMs: 5_000 },
    },
    () => undefined,
  );
  return async (seconds: number): Promise<string[]> => {
    now = at(seconds);
    woken.clear();
    await sweep();
    return users.filter((userId) => woken.has(userId));
  };
};

/** A user that is idle for eight seconds, and then sends one request. */
const returning = async (ports: Ports): Promise<string> => {
  const userId = await newUser(ports);
  await takeTickets(ports, userId, 1);
  await ports.ledger.insert({ userId, seq: 1, body: '1', acceptedAt: at(8) });
  return userId;
};

describeStores('a sweep', (ports) => {
  test('does not wake a user whose request came a moment ago after a pause, and wakes it when it is stuck', async () => {
    const userId = await returning(ports);
    const sweep = sweeper(ports, userId);
    expect(await sweep(8.05)).toEqual([]);
    expect(await sweep(12.9)).toEqual([]);
    expect(await sweep(13.1)).toEqual([userId]);
  });

  test('reads only heads from the ledger: 1,000 bodies may be 250 MB', async () => {
    const userId = await returning(ports);
    const { readHeads } = ports.ledger;
    const reading: string[] = [];
    const ledger = new Proxy({} as Ports['ledger'], {
      get: (_target, name) => {
        reading.push(String(name));
        return readHeads;
      },
    });
    expect(await sweeper({ ...ports, ledger }, userId)(14)).toEqual([userId]);
    expect(new Set(reading)).toEqual(new Set(['readHeads']));
  });

  test('does not wake a user whose request is settled but not flushed', async () => {
    const userId = await returning(ports);
    const guard = { userId, seq: 1, token: 1, attempt: 1 };
    await ports.ledger.commit([claim(guard)]);
    await ports.ledger.commit([done(guard)]);
    expect(await sweeper(ports, userId)(8.4)).toEqual([]);
  });

  test('does not wake a user that its owner vouches for', async () => {
    const userId = await returning(ports);
    await ports.userQueues.flushSettled([{ userId, settled: 0, advanced: false }], at(12));
    const sweep = sweeper(ports, userId);
    expect(await sweep(16.9)).toEqual([]);
    expect(await sweep(17.1)).toEqual([userId]);
  });

  test('wakes a user whose ticket has no ledger entry at two sweeps in a row: at one sweep, its function may be about to record it', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 1);
    const sweep = sweeper(ports, userId);
    expect(await sweep(8)).toEqual([]);
    await ports.ledger.insertTombstone({ userId, seq: 1 }, at(8));
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: false }], at(2));
    await takeTickets(ports, userId, 1);
    expect(await sweep(11)).toEqual([]);
    expect(await sweep(14)).toEqual([userId]);
  });

  test('does not trust the clock of a function that is ahead', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 1);
    await insertQueued(ports, userId, 1);
    const ahead = await newUser(ports);
    await takeTickets(ports, ahead, 1);
    await ports.ledger.insert({ userId: ahead, seq: 1, body: '1', acceptedAt: at(3_600) });
    expect(await sweeper(ports, userId, ahead)(8)).toEqual([userId, ahead]);
  });

  test('does not wake users whose owner is late with its flush while their requests run, and wakes them when the next one waits for long', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 3);
    const guard = { userId, seq: 1, token: 1, attempt: 1 };
    await insertQueued(ports, userId, 1);
    await ports.ledger.commit([claim(guard)]);
    await ports.ledger.commit([done(guard)]);
    const sweep = sweeper(ports, userId);
    expect(await sweep(24)).toEqual([]);
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: false }], at(2));
    await insertQueued(ports, userId, 2);
    await ports.ledger.commit([claim({ ...guard, seq: 2 })]);
    await ports.ledger.commit([done({ ...guard, seq: 2 })]);
    expect(await sweep(27)).toEqual([]);
    await insertQueued(ports, userId, 3);
    await ports.ledger.commit([{ ...claim({ ...guard, seq: 3 }), at: at(28) }]);
    expect(await sweep(30)).toEqual([]);
    expect(await sweep(33.1)).toEqual([userId]);
  });

  test('wakes a user whose requests are all settled, when two sweeps in a row find that nobody flushes it: no owner has loaded it', async () => {
    const [cancelled, abandoned] = [await newUser(ports), await newUser(ports)];
    for (const userId of [cancelled, abandoned]) await takeTickets(ports, userId, 1);
    await insertQueued(ports, cancelled, 1);
    await ports.ledger.cancel({ userId: cancelled, seq: 1 }, at(2));
    await ports.ledger.insertTombstone({ userId: abandoned, seq: 1 }, at(2));
    const sweep = sweeper(ports, cancelled, abandoned);
    expect(await sweep(8)).toEqual([]);
    expect(await sweep(11)).toEqual([cancelled, abandoned]);
    await ports.userQueues.flushSettled([{ userId: cancelled, settled: 1, advanced: true }], at(11));
    expect(await sweep(14)).toEqual([abandoned]);
  });

  test('wakes users with nothing pending that have no session or are closing, when two sweeps in a row find them', async () => {
    const [orphan, closing] = [await newUser(ports), await newUser(ports)];
    for (const userId of [orphan, closing]) await takeTickets(ports, userId, 1);
    await ports.userQueues.flushSettled([{ userId: orphan, settled: 1, advanced: true }], at(1));
    await ports.userQueues.removeSession(orphan, 's');
    await ports.userQueues.beginClose(closing, 1, false, at(1));
    const sweep = sweeper(ports, orphan, closing);
    expect(await sweep(8)).toEqual([]);
    expect(await sweep(11)).toEqual([orphan, closing]);
  });

  test('does not wake a user that was idle and has disconnected a moment ago: its owner closes the queue', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 1);
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(1));
    const sweep = sweeper(ports, userId);
    expect(await sweep(30)).toEqual([]);
    await ports.userQueues.removeSession(userId, 's');
    expect(await sweep(33)).toEqual([]);
    await ports.userQueues.beginClose(userId, 1, true, at(33.1));
    await ports.userQueues.endClose(userId, 1, at(33.2));
    expect(await sweep(36)).toEqual([]);
  });
});
