import { expect, test } from '@jest/globals';
import type { TicketDemand } from '../../lib/ports.ts';
import { permanentSession } from '../../lib/references.ts';
import {
  at,
  describeStores,
  newLane,
  newUser,
  newUserId,
  session,
  takeTickets,
  theUserQueue,
} from './store-contract.ts';

describeStores('sessions of a user queue', (ports) => {
  test('a new user queue is closed and empty', async () => {
    const userId = newUserId();
    await ports.userQueues.create(userId, 3, at(5));
    expect(await ports.userQueues.get([userId])).toEqual([
      { userId, lane: 3, sessions: [], state: 'closed', accepted: 0, settled: 0, updatedAt: at(5) },
    ]);
  });

  test('creating an existing user queue changes nothing', async () => {
    const userId = await newUser(ports, 3);
    const before = await theUserQueue(ports, userId);
    await ports.userQueues.create(userId, 4, at(99));
    expect(await theUserQueue(ports, userId)).toEqual(before);
  });

  test('adding a session creates the user queue if registration died before it did', async () => {
    const userId = newUserId();
    await ports.userQueues.addSession(userId, session('s'), 5, 10);
    expect(await theUserQueue(ports, userId)).toMatchObject({ lane: 5, state: 'closed', sessions: [session('s')] });
  });

  test('concurrent sessions of a new user stay within the limit', async () => {
    const userId = newUserId();
    const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(ids.map((id) => ports.userQueues.addSession(userId, session(id), 1, 7)));
    const { sessions } = await theUserQueue(ports, userId);
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(7);
  });

  test('a session above the limit ends the oldest one, and it stays however soon it expires', async () => {
    const userId = newUserId();
    for (const id of ['a', 'b', 'c']) await ports.userQueues.addSession(userId, session(id), 1, 3);
    const short = { id: 'd', expiresAt: at(10) };
    await ports.userQueues.addSession(userId, short, 1, 3);
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session('b'), session('c'), short]);
    await ports.userQueues.addSession(userId, session('e'), 1, 1);
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session('e')]);
  });

  test('a live session ends all others; one that has expired or ended does not', async () => {
    const userId = newUserId();
    const short = { id: 'short', expiresAt: at(10) };
    for (const one of [session('a'), short, session('b')]) await ports.userQueues.addSession(userId, one, 1, 10);
    expect(await ports.userQueues.endOtherSessions(userId, 'short', at(10))).toBe(false);
    expect(await ports.userQueues.endOtherSessions(userId, 'none', at(1))).toBe(false);
    expect((await theUserQueue(ports, userId)).sessions).toHaveLength(3);
    const both = await Promise.all(['a', 'b'].map((id) => ports.userQueues.endOtherSessions(userId, id, at(1))));
    expect(both.filter(Boolean)).toHaveLength(1);
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session(both[0] ? 'a' : 'b')]);
  });

  test.each([1, 10])('adding the same session again adds nothing, with room for %i', async (maxSessions) => {
    const userId = newUserId();
    await ports.userQueues.addSession(userId, session('s'), 1, maxSessions);
    await ports.userQueues.addSession(userId, session('s'), 1, maxSessions);
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session('s')]);
  });

  test('removing a session returns the user queue without it, and can be repeated', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.addSession(userId, session('t'), 1, 10);
    const after = await ports.userQueues.removeSession(userId, 's');
    expect(after).toMatchObject({ userId, sessions: [session('t')] });
    expect(await ports.userQueues.removeSession(userId, 's')).toEqual(after);
    expect(await ports.userQueues.removeSession(newUserId(), 's')).toBeUndefined();
  });

  test('objects given to the store or returned by it can change without changing the user queue', async () => {
    const userId = newUserId();
    const given = session('s');
    await ports.userQueues.addSession(userId, given, 1, 10);
    given.expiresAt.setTime(0);
    const read = await theUserQueue(ports, userId);
    const removed = await ports.userQueues.removeSession(userId, 'other');
    for (const userQueue of [read, removed]) userQueue?.sessions.pop();
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session('s')]);
  });

  test('the expired sessions of many users are dropped at once', async () => {
    const ended = { id: 'ended', expiresAt: at(5) };
    const users: string[] = [];
    while (users.length < 104) users.push(...(await Promise.all(Array.from({ length: 8 }, () => newUser(ports)))));
    for (const userId of users) await ports.userQueues.addSession(userId, ended, 1, 10);
    await ports.userQueues.dropExpiredSessions(at(7));
    const left = await ports.userQueues.get(users);
    expect(left.every(({ sessions }) => sessions.map(({ id }) => id).join() === 's')).toBe(true);
  });

  test('expired sessions are dropped, live ones stay', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.addSession(userId, { id: 'past', expiresAt: at(7) }, 1, 10);
    await ports.userQueues.addSession(userId, { id: 'later', expiresAt: at(8) }, 1, 10);
    await ports.userQueues.dropExpiredSessions(at(7));
    const { sessions, updatedAt } = await theUserQueue(ports, userId);
    expect(sessions.map(({ id }) => id)).toEqual(['s', 'later']);
    expect(updatedAt).toEqual(at(0));
  });

  test('the last tickets of the open users of some lanes are read, and those of no other lanes', async () => {
    const lane = newLane();
    const [one, closed, elsewhere] = [await newUser(ports, lane), await newUser(ports, lane), await newUser(ports)];
    await takeTickets(ports, one, 3);
    await takeTickets(ports, elsewhere, 1);
    expect(await ports.userQueues.lastTickets([lane])).toEqual(new Map([[one, 3]]));
    expect((await ports.userQueues.get([closed]))[0]).toMatchObject({ lane, state: 'closed' });
  });

  test('a user noted as idle is left out of the last tickets until it gets one', async () => {
    const lane = newLane();
    const userId = await newUser(ports, lane);
    await takeTickets(ports, userId, 1);
    await ports.userQueues.flushSettled([{ userId, settled: 1, settledBytes: 0, advanced: true }], at(1));
    await ports.userQueues.stuck({ from: at(10), to: at(20) }, 10_000, 'all');
    expect(await ports.userQueues.lastTickets([lane])).toEqual(new Map());
    await takeTickets(ports, userId, 1);
    expect(await ports.userQueues.lastTickets([lane])).toEqual(new Map([[userId, 2]]));
  });

  test('a connection is added while its login is live, and takes the user queue over from it', async () => {
    const userId = await newUser(ports);
    const connection = { ...session('c'), login: 's' };
    expect(await ports.userQueues.addConnection(userId, { ...connection, login: 'none' }, 2, at(1))).toBe(
      'login-ended',
    );
    expect(await ports.userQueues.addConnection(newUserId(), connection, 2, at(1))).toBe('login-ended');
    expect(await ports.userQueues.addConnection(userId, connection, 2, session('s').expiresAt)).toBe('login-ended');
    expect((await theUserQueue(ports, userId)).sessions).toEqual([session('s')]);
    expect(await ports.userQueues.addConnection(userId, connection, 2, at(1))).toBe('added');
    const login = { ...session('s'), keepsQueue: false };
    expect((await theUserQueue(ports, userId)).sessions).toEqual([login, connection]);
  });

  test('a user has no more connections than allowed, and those that have expired make room', async () => {
    const userId = await newUser(ports);
    const add = (id: string, seconds = 100) =>
      ports.userQueues.addConnection(userId, { id, login: 's', expiresAt: at(seconds) }, 2, at(10));
    expect([await add('a', 5), await add('b'), await add('c'), await add('d')]).toEqual([
      ...['added', 'added', 'added', 'too-many'],
    ]);
    expect((await theUserQueue(ports, userId)).sessions.map(({ id }) => id)).toEqual(['s', 'b', 'c']);
    await Promise.all(['e', 'f', 'g'].map((id) => add(id)));
    expect((await theUserQueue(ports, userId)).sessions).toHaveLength(3);
  });

  test('a connection ends with its login, whatever ends that', async () => {
    const open = async () => {
      const userId = await newUser(ports);
      await ports.userQueues.addSession(userId, session('t'), 1, 10);
      await ports.userQueues.addConnection(userId, { ...session('c'), login: 's' }, 5, at(1));
      await ports.userQueues.addConnection(userId, { ...session('d'), login: 't' }, 5, at(1));
      return userId;
    };
    const left = async (userId: string) => (await theUserQueue(ports, userId)).sessions.map(({ id }) => id).sort();
    const [one, other, another] = [await open(), await open(), await open()];
    await ports.userQueues.removeSession(one, 's');
    expect(await left(one)).toEqual(['d', 't']);
    await ports.userQueues.endOtherSessions(other, 's', at(1));
    expect(await left(other)).toEqual(['c', 's']);
    await ports.userQueues.addSession(another, session('u'), 1, 2);
    expect(await left(another)).toEqual(['d', 't', 'u']);
    await ports.userQueues.removeSession(another, 'd');
    expect(await left(another)).toEqual(['t', 'u']);
  });

  test('the sessions of many connections are extended at once, and those that have ended stay away', async () => {
    const users = [await newUser(ports), await newUser(ports), await newUser(ports)];
    for (const userId of users)
      await ports.userQueues.addConnection(userId, { id: `c-${userId}`, login: 's', expiresAt: at(50) }, 5, at(1));
    await ports.userQueues.removeSession(users[1] as string, `c-${users[1]}`);
    const sessions = users.map((userId) => ({ userId, sessionId: `c-${userId}` }));
    const left = await ports.userQueues.extendSessions([...sessions, { userId: newUserId(), sessionId: 'x' }], at(90));
    expect(sessions.map(({ sessionId }) => left.has(sessionId))).toEqual([true, false, true]);
    const times = (await ports.userQueues.get(users)).map((queue) => [
      queue.sessions.find(({ id }) => id === 's')?.expiresAt,
      queue.sessions.find(({ login }) => login)?.expiresAt,
    ]);
    const own = session('s').expiresAt;
    expect(times).toEqual(
      expect.arrayContaining([
        [own, at(90)],
        [own, undefined],
      ]),
    );
    expect(await ports.userQueues.extendSessions([], at(90))).toEqual(new Set());
  });

  test('a login that has opened a connection takes tickets, and its user queue closes without one', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.addConnection(userId, { ...session('c'), login: 's' }, 5, at(1));
    expect(await ports.userQueues.takeTicket(userId, 'c', at(1))).toMatchObject({ seq: 1 });
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(1));
    expect(await ports.userQueues.beginClose(userId, 1, true, at(1))).toBe(false);
    await ports.userQueues.removeSession(userId, 'c');
    expect(await ports.userQueues.takeTicket(userId, 'c', at(1))).toBeUndefined();
    expect(await ports.userQueues.takeTicket(userId, 's', at(1))).toMatchObject({ seq: 2 });
    await ports.userQueues.flushSettled([{ userId, settled: 2, advanced: true }], at(1));
    // Twice: a search notes those that need no further look.
    for (const _ of [1, 2]) {
      const stuck = await ports.userQueues.stuck({ from: at(10), to: at(20) }, 10_000, 'all');
      expect(stuck.map((user) => user.userId)).toContain(userId);
    }
    expect(await ports.userQueues.beginClose(userId, 2, true, at(1))).toBe(true);
  });

  test('unknown users are left out', async () => {
    const userId = await newUser(ports);
    const found = await ports.userQueues.get([newUserId(), userId]);
    expect(found.map((userQueue) => userQueue.userId)).toEqual([userId]);
    expect(await ports.userQueues.get([])).toEqual([]);
  });
});

describeStores('the name of a user', (ports) => {
  test('is noted when the user queue is created, and at each new session', async () => {
    const userId = newUserId();
    await ports.userQueues.create(userId, 3, at(0), 'ada');
    expect(await theUserQueue(ports, userId)).toMatchObject({ user: 'ada' });
    await ports.userQueues.addSession(userId, session('s'), 3, 10, 'Ada');
    expect(await theUserQueue(ports, userId)).toMatchObject({ user: 'Ada', sessions: [session('s')] });
    await ports.userQueues.addSession(userId, session('t'), 3, 10);
    expect(await theUserQueue(ports, userId)).toMatchObject({ user: 'Ada' });
  });

  test('is noted by a session that creates the user queue', async () => {
    const userId = newUserId();
    await ports.userQueues.addSession(userId, session('s'), 3, 10, 'ada');
    expect(await theUserQueue(ports, userId)).toMatchObject({ user: 'ada' });
  });
});

describeStores('tickets by reference', (ports) => {
  const referred = (lane = newLane()) => ({ userId: newUserId(), user: '$ada|1', lane });

  test('create the user queue, and open it with a session that never ends', async () => {
    const user = referred();
    expect(await ports.userQueues.takeTicketByReference(user, at(1))).toMatchObject({
      seq: 1,
      lane: user.lane,
      wasOpen: false,
      settled: 0,
    });
    const queue = await theUserQueue(ports, user.userId);
    expect(queue).toMatchObject({ ...user, state: 'open', accepted: 1, sessions: [permanentSession] });
    await ports.userQueues.dropExpiredSessions(at(1_000_000_000));
    expect(await theUserQueue(ports, user.userId)).toMatchObject({ sessions: [permanentSession] });
  });

  test('of many first requests at once open it, and are as many tickets', async () => {
    const user = referred();
    const taken = await Promise.all(
      Array.from({ length: 10 }, () => ports.userQueues.takeTicketByReference(user, at(1))),
    );
    expect(taken.map(({ seq }) => seq).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(taken.find(({ wasOpen }) => wasOpen === false)?.seq).toBe(1);
  });

  test('keep the lane that the user queue has', async () => {
    const user = referred();
    await ports.userQueues.takeTicketByReference(user, at(1));
    expect(await ports.userQueues.takeTicketByReference({ ...user, lane: 999 }, at(1))).toMatchObject({
      seq: 2,
      lane: user.lane,
      wasOpen: true,
    });
  });

  test('set the session again after a disconnect, and a refused one does not', async () => {
    const user = referred();
    const { userId } = user;
    await ports.userQueues.takeTicketByReference(user, at(1));
    await ports.userQueues.removeSession(userId, permanentSession.id);
    const demand = { bytes: 1, maxPending: 1, maxPendingBytes: 10 };
    expect(await ports.userQueues.takeTicketByReference(user, at(1), demand)).toMatchObject({ refused: 'requests' });
    expect(await theUserQueue(ports, userId)).toMatchObject({ sessions: [] });
    expect(await ports.userQueues.takeTicketByReference(user, at(1))).toMatchObject({ seq: 2, wasOpen: true });
    expect(await theUserQueue(ports, userId)).toMatchObject({ sessions: [permanentSession] });
  });

  test('open a queue again that an owner was closing', async () => {
    const user = referred();
    const { userId } = user;
    await ports.userQueues.takeTicketByReference(user, at(1));
    expect(await ports.userQueues.beginClose(userId, 1, true, at(2))).toBe(false);
    expect(await ports.userQueues.beginClose(userId, 1, false, at(2))).toBe(true);
    expect(await ports.userQueues.takeTicketByReference(user, at(3))).toMatchObject({ seq: 2, wasOpen: false });
    expect(await ports.userQueues.endClose(userId, 1, at(3))).toBe(false);
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'open' });
  });
});

describeStores('tickets', (ports) => {
  test('a ticket opens the queue, and says how it was before', async () => {
    const lane = newLane();
    const userId = await newUser(ports, lane);
    expect(await ports.userQueues.takeTicket(userId, 's', at(1))).toMatchObject({
      seq: 1,
      lane,
      wasOpen: false,
      settled: 0,
    });
    await ports.userQueues.flushSettled([{ userId, settled: 1, advanced: true }], at(2));
    expect(await ports.userQueues.takeTicket(userId, 's', at(1))).toMatchObject({
      seq: 2,
      lane,
      wasOpen: true,
      settled: 1,
    });
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'open', accepted: 2 });
  });

  test('a ticket does not count as progress', async () => {
    const userId = await newUser(ports);
    await takeTickets(ports, userId, 1);
    expect((await theUserQueue(ports, userId)).updatedAt).toEqual(at(0));
  });

  test('there is no ticket without a live session', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.addSession(userId, { id: 'past', expiresAt: at(5) }, 1, 10);
    expect(await ports.userQueues.takeTicket(userId, 'past', at(5))).toBeUndefined();
    expect(await ports.userQueues.takeTicket(userId, 'other', at(1))).toBeUndefined();
    expect(await ports.userQueues.takeTicket(newUserId(), 's', at(1))).toBeUndefined();
    expect(await theUserQueue(ports, userId)).toMatchObject({ state: 'closed', accepted: 0 });
  });

  test('without a session any existing user gets a ticket, as for an operator', async () => {
    const userId = await newUser(ports);
    await ports.userQueues.removeSession(userId, 's');
    expect(await ports.userQueues.takeTicket(userId, undefined, at(1))).toMatchObject({ seq: 1, wasOpen: false });
    expect(await ports.userQueues.takeTicket(newUserId(), undefined, at(1))).toBeUndefined();
  });

  test('a hundred concurrent tickets get the numbers 1 to 100, and the first ones open the queue', async () => {
    const userId = await newUser(ports);
    const tickets = await Promise.all(
      Array.from({ length: 100 }, () => ports.userQueues.takeTicket(userId, 's', at(1))),
    );
    const seqs = tickets.map((ticket) => ticket?.seq ?? 0).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const opening = tickets.flatMap((ticket) => (ticket?.wasOpen === false ? (ticket.seq ?? 0) : []));
    expect(opening.length).toBeGreaterThan(0);
    expect(Math.max(...opening)).toBe(opening.length);
  });

  const demand: TicketDemand = { bytes: 10, maxPending: 3, maxPendingBytes: 1_000 };

  test('there is no ticket above a number of pending requests, the refusal says so, and it takes no `seq`', async () => {
    const userId = await newUser(ports);
    const take = () => ports.userQueues.takeTicket(userId, 's', at(1), demand);
    for (const seq of [1, 2, 3]) expect(await take()).toMatchObject({ seq, bytesThrough: 10 * seq });
    expect(await take()).toMatchObject({ refused: 'requests', pending: 3, pendingBytes: 30, settled: 0 });
    expect(await theUserQueue(ports, userId)).toMatchObject({ accepted: 3, acceptedBytes: 30 });
    await ports.userQueues.flushSettled([{ userId, settled: 2, settledBytes: 20, advanced: true }], at(2));
    expect(await take()).toMatchObject({ seq: 4, settled: 2 });
  });

  test('there is no ticket above a number of pending bytes, but one for a user of whom nothing is pending', async () => {
    const userId = await newUser(ports);
    const take = (bytes: number) =>
      ports.userQueues.takeTicket(userId, 's', at(1), { bytes, maxPending: 100, maxPendingBytes: 50 });
    expect(await take(60)).toMatchObject({ seq: 1 });
    expect(await take(1)).toMatchObject({ refused: 'bytes', pending: 1, pendingBytes: 60 });
    await ports.userQueues.flushSettled([{ userId, settled: 1, settledBytes: 60, advanced: true }], at(2));
    expect(await take(50)).toMatchObject({ seq: 2, bytesThrough: 110 });
    expect(await take(1)).toMatchObject({ refused: 'bytes', pendingBytes: 50 });
  });

  test('the bytes of tickets that were never used stop counting when nothing is pending', async () => {
    const userId = await newUser(ports);
    const take = () => ports.userQueues.takeTicket(userId, 's', at(1), { ...demand, maxPendingBytes: 30 });
    for (const seq of [1, 2, 3]) expect(await take()).toMatchObject({ seq });
    // Its owner has written tombstones, and does not know their bytes.
    await ports.userQueues.flushSettled([{ userId, settled: 3, advanced: true }], at(2));
    for (const seq of [4, 5, 6]) expect(await take()).toMatchObject({ seq });
    expect(await take()).toMatchObject({ refused: 'requests', pending: 3, pendingBytes: 30 });
  });

  test('of many refused calls one may count, and what it counts makes room', async () => {
    const userId = await newUser(ports);
    const take = (seconds: number) => ports.userQueues.takeTicket(userId, 's', at(seconds), demand);
    for (const _ of [1, 2, 3]) await take(1);
    const refused = await Promise.all(Array.from({ length: 20 }, () => take(2)));
    expect(refused.filter((one) => one?.seq === undefined && one?.countDue)).toHaveLength(1);
    await ports.userQueues.noteCounted(userId, { requests: 2, bytes: 20 }, at(10));
    await ports.userQueues.noteCounted(userId, { requests: 1, bytes: 10 }, at(10));
    for (const seq of [4, 5]) expect(await take(2)).toMatchObject({ seq });
    expect(await take(9)).toMatchObject({ refused: 'requests', pending: 3, pendingBytes: 30, countDue: false });
    expect(await take(10)).toMatchObject({ countDue: true });
    await ports.userQueues.noteCounted(userId, { requests: 2, bytes: 20 }, at(60));
    // The clock was set back: the stored time lies further ahead than any pause.
    expect(await take(20)).toMatchObject({ countDue: true });
  });

  test('a rate allows so many tickets at once, and then one after the other', async () => {
    const userId = await newUser(ports);
    const take = (seconds: number) =>
      ports.userQueues.takeTicket(userId, 's', at(seconds), { ...demand, maxPending: 1_000, ratePerSecond: 4 });
    for (const seq of [1, 2, 3, 4]) expect(await take(1)).toMatchObject({ seq });
    expect(await take(1)).toMatchObject({ refused: 'rate', waitMs: 250, countDue: false });
    expect(await take(1.25)).toMatchObject({ seq: 5 });
    expect(await take(1.25)).toMatchObject({ refused: 'rate', waitMs: 250 });
    for (const seq of [6, 7, 8, 9]) expect(await take(60)).toMatchObject({ seq });
    expect(await take(60)).toMatchObject({ refused: 'rate' });
    // The clock was set back: nobody waits for the time that was stored before.
    expect(await take(10)).toMatchObject({ seq: 10 });
  });

  test.each<[string, Partial<TicketDemand>]>([
    ['pending requests', { maxPending: 10 }],
    ['pending bytes', { maxPendingBytes: 109 }],
    ['the rate', { ratePerSecond: 10 }],
  ])('of a hundred concurrent tickets with a limit on %s exactly as many are given', async (_what, limit) => {
    const userId = await newUser(ports);
    const limits = { ...demand, maxPending: 1_000, maxPendingBytes: 1_000_000, ...limit };
    const taken = await Promise.all(
      Array.from({ length: 100 }, () => ports.userQueues.takeTicket(userId, 's', at(1), limits)),
    );
    const seqs = taken.flatMap((ticket) => ticket?.seq ?? []).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 10 }, (_, index) => index + 1));
    expect((await theUserQueue(ports, userId)).accepted).toBe(10);
  });

  test('one ticket is for several requests, all of them or none', async () => {
    const userId = await newUser(ports);
    const take = (count: number, limits: Partial<TicketDemand> = {}) =>
      ports.userQueues.takeTicket(userId, 's', at(1), {
        ...demand,
        maxPending: 10,
        ...limits,
        count,
        bytes: 10 * count,
      });
    expect(await take(3)).toMatchObject({ first: 1, seq: 3, wasOpen: false, bytesThrough: 30 });
    expect(await take(7)).toMatchObject({ first: 4, seq: 10, wasOpen: true, bytesThrough: 100 });
    await ports.userQueues.flushSettled([{ userId, settled: 4, settledBytes: 40, advanced: true }], at(2));
    expect(await take(5)).toMatchObject({ refused: 'requests', pending: 6 });
    expect(await take(4, { maxPendingBytes: 99 })).toMatchObject({ refused: 'bytes', pendingBytes: 60 });
    expect(await take(4)).toMatchObject({ first: 11, seq: 14 });
    await ports.userQueues.flushSettled([{ userId, settled: 14, settledBytes: 140, advanced: true }], at(2));
    expect(await take(2, { maxPendingBytes: 19 })).toMatchObject({ refused: 'bytes', pendingBytes: 0 });
    expect(await take(1, { maxPendingBytes: 9 })).toMatchObject({ seq: 15 });
  });

  test('a ticket for more requests than the rate of a second is given when the whole rate is free, and delays the next', async () => {
    const userId = await newUser(ports);
    const take = (count: number, seconds: number) =>
      ports.userQueues.takeTicket(userId, 's', at(seconds), { ...demand, maxPending: 100, ratePerSecond: 2, count });
    expect(await take(6, 1)).toMatchObject({ first: 1, seq: 6 });
    expect(await take(1, 1)).toMatchObject({ refused: 'rate', waitMs: 2_500 });
    expect(await take(2, 3.5)).toMatchObject({ refused: 'rate', waitMs: 500 });
    expect(await take(2, 4)).toMatchObject({ seq: 8 });
  });

  test('a ticket for as many requests as a call may have delays the next by all of them', async () => {
    const userId = await newUser(ports);
    const take = (count: number, seconds: number) =>
      ports.userQueues.takeTicket(userId, 's', at(seconds), { ...demand, maxPending: 200, ratePerSecond: 2, count });
    expect(await take(100, 1)).toMatchObject({ seq: 100 });
    expect(await take(1, 1)).toMatchObject({ refused: 'rate', waitMs: 49_500 });
    expect(await take(1, 50)).toMatchObject({ refused: 'rate', waitMs: 500 });
    expect(await take(1, 50.5)).toMatchObject({ seq: 101 });
  });

  test('a session gets no ticket after it was removed', async () => {
    const userId = await newUser(ports);
    const racing = Array.from({ length: 30 }, () => ports.userQueues.takeTicket(userId, 's', at(1)));
    const removed = await ports.userQueues.removeSession(userId, 's');
    const tickets = (await Promise.all(racing)).filter((ticket) => ticket !== undefined);
    expect(await ports.userQueues.takeTicket(userId, 's', at(1))).toBeUndefined();
    expect(removed?.accepted).toBe(tickets.length);
    expect((await theUserQueue(ports, userId)).accepted).toBe(tickets.length);
  });
});

describeStores('a count of pending requests', (ports) => {
  test('adds up what is accepted and not settled, and counts the users who have any', async () => {
    const before = await ports.userQueues.countPending();
    const [busy, idle, half] = [await newUser(ports), await newUser(ports), await newUser(ports)];
    for (const userId of [busy, idle, half]) await takeTickets(ports, userId, 3);
    await ports.userQueues.flushSettled(
      [
        { userId: idle, settled: 3, advanced: true },
        { userId: half, settled: 2, advanced: true },
      ],
      at(2),
    );
    const { requests, users } = await ports.userQueues.countPending();
    expect({ requests: requests - before.requests, users: users - before.users }).toEqual({ requests: 4, users: 2 });
  });
});
