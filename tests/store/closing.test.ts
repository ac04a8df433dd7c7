import { expect, test } from '@jest/globals';
import type { StalledUser } from '../../lib/ports.ts';
import {
  at,
  describeStores,
  newLane,
  newUser,
  newUserId,
  type Ports,
  takeTickets,
  theUserQueue,
} from './store-contract.ts';

const newClosing = async (ports: Ports, lane = newLane()) => {
  const userId = await newUser(ports, lane);
  await takeTickets(ports, userId, 1);
  await ports.userQueues.beginClose(userId, 1, false, at(2));
  return userId;
};

const notClosedUsers = async ({ userQueues }: Ports, lane: number) => {
  const found: string[] = [];
  for await (const page of userQueues.notClosed(lane)) found.push(...page.map(({ userId }) => userId));
  return found.sort();
};

/** Progress from that second on is recent. */
const until = (seconds: number) => ({ from: at(seconds), to: at(1_000_000) });

describeStores('closing a user queue', (ports) => {
  test('closing goes from open to closing to closed, makes `settled` exact and records the time', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 3);
    expect(await ports.userQueues.beginClose(userId, 3, false, at(8))).toBe(true);
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'closing', settled: 3, updatedAt: at(8) });
    expect(await ports.userQueues.endClose(userId, 3, at(9))).toBe(true);
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'closed', accepted: 3, updatedAt: at(9) });
  });

  test('closing is refused when a request was accepted since [R8]', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 2);
    expect(await ports.userQueues.beginClose(userId, 1, false, at(8))).toBe(false);
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'open', settled: 0 });
  });

  test('closing for a disconnect is refused while a session is live, but not for an expired session', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.addSession(userId, { id: 'short', expiresAt: at(50) }, 1, 10);
    await takeTickets(ports, userId, 1);
    expect(await ports.userQueues.beginClose(userId, 1, true, at(8))).toBe(false);
    await ports.userQueues.removeSession(userId, 's');
    expect(await ports.userQueues.beginClose(userId, 1, true, at(49))).toBe(false);
    expect(await ports.userQueues.beginClose(userId, 1, true, at(50))).toBe(true);
  });

  test('a user queue that is opened again while it is closing does not become closed [R9]', async () => {
    const userId = await newClosing(ports);
    expect(await ports.userQueues.takeTicket(userId, 's', at(3))).toMatchObject({ seq: 2, wasOpen: false });
    expect(await ports.userQueues.endClose(userId, 1, at(4))).toBe(false);
    expect(await ports.userQueues.endClose(userId, 2, at(4))).toBe(false);
    expect((await theUserQueue(ports, userId)).state).toBe('open');
    expect(await ports.userQueues.beginClose(userId, 2, false, at(5))).toBe(true);
    expect(await ports.userQueues.endClose(userId, 1, at(6))).toBe(false);
    expect((await theUserQueue(ports, userId)).state).toBe('closing');
  });

  test('only an open user queue begins to close, and only a closing one becomes closed', async () => {
    const userId = await newClosing(ports);
    expect(await ports.userQueues.beginClose(userId, 1, false, at(3))).toBe(false);
    expect(await ports.userQueues.endClose(userId, 1, at(3))).toBe(true);
    expect(await ports.userQueues.endClose(userId, 1, at(4))).toBe(false);
    expect(await ports.userQueues.beginClose(newUserId(), 0, false, at(3))).toBe(false);
  });

  test('after a ticket and a concurrent end of closing, the user queue is open', async () => {
    for (let round = 0; round < 10; round += 1) {
      const userId = await newClosing(ports);
      const [ended, ticket] = await Promise.all([
        ports.userQueues.endClose(userId, 1, at(3)),
        ports.userQueues.takeTicket(userId, 's', at(3)),
      ]);
      expect(ticket).toMatchObject({ seq: 2, wasOpen: false });
      expect({ ended, state: (await theUserQueue(ports, userId)).state }).toEqual({ ended, state: 'open' });
    }
  });

  test('a ticket taken while closing begins says which of the two came first', async () => {
    for (let round = 0; round < 10; round += 1) {
      const userId = await newUser(ports);
      await takeTickets(ports, userId, 1);
      const [begun, ticket] = await Promise.all([
        ports.userQueues.beginClose(userId, 1, false, at(3)),
        ports.userQueues.takeTicket(userId, 's', at(3)),
      ]);
      expect(ticket?.wasOpen).toBe(!begun);
      expect(ticket?.settled).toBe(begun ? 1 : 0);
    }
  });
});

describeStores('progress and users without progress', (ports) => {
  test('`settled` is raised, never lowered, and progress is recorded for many users at once', async () => {
    const [ahead, behind] = [await newUser(ports), await newUser(ports)];
    await ports.userQueues.flushSettled([{ userId: ahead, settled: 5, advanced: true }], at(2));
    const progress = [ahead, behind].map((userId) => ({ userId, settled: 3, advanced: true }));
    await ports.userQueues.flushSettled(progress, at(3));
    expect(await theUserQueue(ports, ahead)).toMatchObject({ settled: 5, updatedAt: at(3) });
    expect(await theUserQueue(ports, behind)).toMatchObject({ settled: 3, updatedAt: at(3) });
  });

  test('flushing no progress, or that of an unknown user, does nothing', async () => {
    const userId = newUserId();
    await ports.userQueues.flushSettled([], at(2));
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(2));
    expect(await ports.userQueues.get([userId])).toEqual([]);
  });

  test('the user queues of a lane that are not closed are found, in pages, and those of no other lane', async () => {
    const lane = newLane();
    const open = await Promise.all(Array.from({ length: 260 }, () => newUser(ports, lane)));
    await Promise.all(open.map((userId) => ports.userQueues.takeTicket(userId, 's', at(1))));
    const closing = open.slice(0, 130);
    await Promise.all(closing.map((userId) => ports.userQueues.beginClose(userId, 1, false, at(2))));
    await newUser(ports, lane);
    await newClosing(ports);
    expect(await notClosedUsers(ports, lane)).toEqual(open.sort());
    expect(await notClosedUsers(ports, newLane())).toEqual([]);
  });

  test('users without progress are found when they have pending work, have no session, or are closing', async () => {
    const withWork = await newUser(ports);
    await takeTickets(ports, withWork, 1);
    const orphan = await newUser(ports);
    await takeTickets(ports, orphan, 1);
    await ports.userQueues.flushSettled([{ userId: orphan, settled: 1, advanced: true }], at(1));
    await ports.userQueues.removeSession(orphan, 's');
    const closing = await newClosing(ports);
    const idle = await newUser(ports);
    await takeTickets(ports, idle, 1);
    await ports.userQueues.flushSettled([{ userId: idle, settled: 1, advanced: true }], at(1));
    const closed = await newClosing(ports);
    await ports.userQueues.endClose(closed, 1, at(2));

    const stuckBefore = async (seconds: number) => {
      const mine = new Set([withWork, orphan, closing, idle, closed]);
      const found = await ports.userQueues.stuck(until(seconds), 100_000, 'all');
      return found.filter(({ userId }) => mine.has(userId)).map(({ userId }) => userId);
    };
    expect(await stuckBefore(3)).toEqual([withWork, orphan, closing]);
    expect(await stuckBefore(2)).toEqual([withWork, orphan]);
    expect(await stuckBefore(1)).toEqual([withWork]);
    expect(await stuckBefore(0)).toEqual([]);
  });

  test('users whose progress lies behind the time span are stuck too: the clock was set back since', async () => {
    const lane = newLane();
    const [before, inside, behind] = [
      await newUser(ports, lane),
      await newUser(ports, lane),
      await newUser(ports, lane),
    ];
    const times = [
      [before, 5_000],
      [inside, 5_005],
      [behind, 5_060],
    ] as const;
    for (const [userId, seconds] of times) {
      await takeTickets(ports, userId, 1);
      await ports.userQueues.flushSettled([{ userId, settled: 0, advanced: true }], at(seconds));
    }
    const stuck = async (which: 'all' | 'unvouched') => {
      const found = await ports.userQueues.stuck({ from: at(5_003), to: at(5_010) }, 100_000, which);
      return found.filter((user) => user.lane === lane).map(({ userId }) => userId);
    };
    expect(await stuck('all')).toEqual([before, behind]);
    expect(await stuck('unvouched')).toEqual([before, behind]);
    await ports.userQueues.flushSettled([{ userId: behind, settled: 0, advanced: false }], at(5_006));
    expect(await stuck('unvouched')).toEqual([before]);
    const { updatedAt } = await theUserQueue(ports, behind);
    const after = { userId: before, updatedAt: at(5_000) };
    expect(updatedAt).toEqual(at(5_060));
    const page = await ports.userQueues.stuck({ from: at(5_003), to: at(5_010) }, 100_000, 'all', after);
    expect(page.filter((user) => user.lane === lane).map(({ userId }) => userId)).toEqual([behind]);
  });

  test('a limit keeps the users that have waited longest, with their lane, counters and time', async () => {
    const lane = newLane();
    const waiting = await Promise.all([3, 1, 2].map(() => newUser(ports, lane)));
    for (const [index, userId] of waiting.entries()) {
      await takeTickets(ports, userId, 1);
      await ports.userQueues.flushSettled([{ userId, settled: 0, advanced: true }], at(-100 + ((index + 1) % 3)));
    }
    expect(await ports.userQueues.stuck(until(-90), 2, 'all')).toEqual([
      { userId: waiting[2], lane, accepted: 1, settled: 0, updatedAt: at(-100) },
      { userId: waiting[0], lane, accepted: 1, settled: 0, updatedAt: at(-99) },
    ]);
  });

  test('pages miss nobody, also when many users made their last progress at the same time', async () => {
    const waiting = await Promise.all(Array.from({ length: 7 }, () => newUser(ports)));
    for (const [index, userId] of waiting.entries()) {
      await takeTickets(ports, userId, 1);
      await ports.userQueues.flushSettled([{ userId, settled: 0, advanced: true }], at(-80 + (index % 2)));
    }
    const found: StalledUser[] = [];
    for (;;) {
      const page = await ports.userQueues.stuck(until(-70), 2, 'all', found.at(-1));
      found.push(...page);
      if (page.length < 2) break;
    }
    const mine = found.filter(({ userId }) => waiting.includes(userId));
    expect(mine.map(({ userId }) => userId).sort()).toEqual(waiting.sort());
    expect(mine.map(({ updatedAt }) => updatedAt)).toEqual([...Array(4).fill(at(-80)), ...Array(3).fill(at(-79))]);
  });

  test('a user without pending work is looked at again when its session has expired', async () => {
    const userId = newUserId();
    await ports.userQueues.create(userId, newLane(), at(0));
    await ports.userQueues.addSession(userId, { id: 's', expiresAt: at(40) }, newLane(), 10);
    await takeTickets(ports, userId, 1);
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(-60));
    const isFound = async () => {
      const found = await ports.userQueues.stuck(until(-50), 100_000, 'all');
      return found.some((user) => user.userId === userId);
    };
    for (const seconds of [38, 39]) {
      await ports.userQueues.dropExpiredSessions(at(seconds));
      expect(await isFound()).toBe(false);
    }
    await ports.userQueues.dropExpiredSessions(at(40));
    expect(await isFound()).toBe(true);
  });

  test('a user without pending work is looked at once, until it gets a ticket or loses its session', async () => {
    const [busy, leaving] = [await newUser(ports), await newUser(ports)];
    for (const userId of [busy, leaving]) {
      await takeTickets(ports, userId, 1);
      await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(-60));
    }
    const stuck = async () => {
      const found = await ports.userQueues.stuck(until(-50), 100_000, 'all');
      return found.map(({ userId }) => userId).filter((userId) => [busy, leaving].includes(userId));
    };
    for (const _ of [1, 2]) expect(await stuck()).toEqual([]);
    await takeTickets(ports, busy, 1);
    await ports.userQueues.removeSession(leaving, 's');
    expect((await stuck()).sort()).toEqual([busy, leaving].sort());
    await ports.userQueues.flushSettled([{ userId: busy, settled: 2, advanced: false }], at(-60));
    expect(await stuck()).toEqual([leaving]);
    await ports.userQueues.removeSession(busy, 's');
    expect((await stuck()).sort()).toEqual([busy, leaving].sort());
  });
});
