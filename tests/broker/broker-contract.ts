/** The contract of the broker: RabbitMQ and its in-memory stand-in pass the same tests. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BrokerRefusedError, BrokerUnavailableError } from '../../lib/errors.ts';
import type {
  Delivery,
  LaneBroker,
  LaneChannel,
  LaneEvents,
  Publisher,
  UserQueueChannel,
  UserQueueEvents,
} from '../../lib/ports.ts';
import { uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';

/** One process's connections to the broker. */
export type BrokerConnection = {
  publisher: Publisher;
  laneBroker: LaneBroker;
  /** Cuts the connections of its lanes and its user queues. */
  sever(): Promise<void>;
};

export type BrokerUnderTest = {
  connect(): Promise<BrokerConnection>;
  /** Connections to a broker that does not exist. */
  connectToNothing(): Promise<BrokerConnection>;
  /** Makes the broker refuse to declare or to consume this user queue, until the returned function is called. */
  refuse(userId: string, what: 'declare' | 'consume'): Promise<() => Promise<void>>;
  end(): Promise<void>;
};

/** Everything that one lane or its user queues received, in order, and the deliveries that wait for an ack. */
const createRecorder = () => {
  const received: string[] = [];
  const deliveries = new Map<string, Delivery>();
  const note = (what: string, delivery?: Delivery): void => {
    received.push(what);
    if (delivery) deliveries.set(what, delivery);
  };
  const events: LaneEvents & UserQueueEvents = {
    baton: (delivery) => note('baton', delivery),
    wake: (userId, delivery) => note(`wake ${userId}`, delivery),
    request: (_userId, { seq }, delivery) => note(`request ${seq}`, delivery),
    consumerLost: (userId) => note(`lost ${userId}`),
    closed: () => note('closed'),
  };
  return {
    received,
    events,
    ack: (what: string): void => deliveries.get(what)!.ack(),
    until: (expected: string[]): Promise<unknown> =>
      eventually(
        `${expected.join(', ')}; received: ${received.join(', ')}`,
        () => JSON.stringify(received) === JSON.stringify(expected),
      ),
  };
};

type Recorder = ReturnType<typeof createRecorder>;

const requestMessage = (seq: number) => ({
  seq,
  body: `{"number":${seq}}`,
  acceptedAt: 1_700_000_000_000 + seq,
  limits: { maxAttempts: 3 },
  interruptions: 2,
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
});
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

let lanesUsed = 0;
const newLane = (): number => {
  lanesUsed += 1;
  return lanesUsed;
};
const newUserId = (): string => uniqueName('user');

export const describeBrokerContract = (name: string, open: () => Promise<BrokerUnderTest>): void => {
  describe(`The broker (${name})`, () => {
    let broker: BrokerUnderTest;
    let one: BrokerConnection;
    let other: BrokerConnection;

    beforeAll(async () => {
      broker = await open();
      one = await broker.connect();
      other = await broker.connect();
    });
    afterAll(() => broker?.end());

    const openLane = async (from: BrokerConnection, lane: number): Promise<Recorder & { channel: LaneChannel }> => {
      const recorder = createRecorder();
      return { ...recorder, channel: await from.laneBroker.openLane(lane, recorder.events) };
    };

    const openUserQueues = (from: BrokerConnection): Recorder & { queues: UserQueueChannel } => {
      const recorder = createRecorder();
      return { ...recorder, queues: from.laneBroker.openUserQueues(recorder.events) };
    };

    const publishRequests = async (userId: string, seqs: number[]): Promise<void> => {
      for (const seq of seqs) await one.publisher.publishRequest(userId, requestMessage(seq));
    };

    test('reports a message as unroutable when its queue does not exist', async () => {
      const lane = newLane();
      expect(await one.publisher.publishBaton(lane)).toBe('unroutable');
      expect(await one.publisher.publishWake(lane, newUserId())).toBe('unroutable');
      expect(await one.publisher.publishRequest(newUserId(), requestMessage(1))).toBe('unroutable');
    });

    test('closes the channels of every worker on a lane that is deleted, and the lane can be opened again', async () => {
      const lane = newLane();
      const owner = await openLane(one, lane);
      const next = await openLane(other, lane);
      await one.publisher.publishBaton(lane);
      await owner.until(['baton']);
      await other.laneBroker.deleteLane(lane);
      await owner.until(['baton', 'closed']);
      await next.until(['closed']);
      await other.laneBroker.deleteLane(lane);
      const again = await openLane(other, lane);
      await other.publisher.publishBaton(lane);
      await again.until(['baton']);
      await again.channel.close();
    });

    test('delivers batons, wakes and requests as they were published', async () => {
      const [lane, userId] = [newLane(), newUserId()];
      const recorder = createRecorder();
      const requests: unknown[] = [];
      const channel = await one.laneBroker.openLane(lane, recorder.events);
      const queues = one.laneBroker.openUserQueues({
        ...recorder.events,
        request: (...[user, message, delivery]) => {
          requests.push([user, message]);
          recorder.events.request(user, message, delivery);
        },
      });
      await queues.open(userId);
      expect(await other.publisher.publishBaton(lane)).toBe('routed');
      expect(await other.publisher.publishWake(lane, userId)).toBe('routed');
      await recorder.until(['baton', `wake ${userId}`]);
      expect(await other.publisher.publishRequest(userId, requestMessage(7))).toBe('routed');
      await recorder.until(['baton', `wake ${userId}`, 'request 7']);
      expect(requests).toEqual([[userId, requestMessage(7)]]);
      await queues.delete(userId);
      await queues.close();
      await channel.close();
    });

    test('keeps the baton with the owner while wakes come and are acked', async () => {
      const lane = newLane();
      const owner = await openLane(one, lane);
      await one.publisher.publishBaton(lane);
      for (const seq of upTo(20)) await one.publisher.publishWake(lane, `user-${seq}`);
      await owner.until(['baton', ...upTo(20).map((seq) => `wake user-${seq}`)]);
      for (const seq of upTo(20)) owner.ack(`wake user-${seq}`);
      await owner.channel.close();

      const next = await openLane(other, lane);
      await next.until(['baton']);
      await next.channel.close();
    });

    test('delivers a lane to one worker only, however long it is, and in order to the next when its channel closes', async () => {
      const lane = newLane();
      const wakes = upTo(300).map((seq) => `wake user-${seq}`);
      const owner = await openLane(one, lane);
      const next = await openLane(other, lane);
      await Promise.all(upTo(300).map((seq) => one.publisher.publishWake(lane, `user-${seq}`)));
      await eventually('many wakes', () => owner.received.length >= 100);
      expect(next.received).toEqual([]);
      const acked = upTo(50).map((number) => `wake user-${2 * number}`);
      for (const wake of acked) owner.ack(wake);
      await owner.channel.close();
      const left = wakes.filter((wake) => !acked.includes(wake));
      await eventually('what was not acked', () => next.received.length >= Math.min(250, left.length));
      for (const wake of left) {
        await eventually(wake, () => next.received.includes(wake));
        next.ack(wake);
      }
      expect(next.received).toEqual(left);
      await next.channel.close();
    });

    test('delivers a lane to the workers in the order in which they began to stand by', async () => {
      const lane = newLane();
      const first = await openLane(one, lane);
      const second = await openLane(other, lane);
      const third = await openLane(one, lane);
      await one.publisher.publishBaton(lane);
      await first.until(['baton']);
      await first.channel.close();
      await second.until(['baton']);
      await second.channel.close();
      await third.until(['baton']);
      await third.channel.close();
    });

    test('delivers a lane to the next worker when the connection of its owner is cut, and reports that to the owner once', async () => {
      const lane = newLane();
      const cut = await broker.connect();
      const owner = await openLane(cut, lane);
      const next = await openLane(other, lane);
      await one.publisher.publishBaton(lane);
      await owner.until(['baton']);
      await cut.sever();
      await next.until(['baton']);
      await owner.until(['baton', 'closed']);
      owner.ack('baton');
      await owner.channel.close();
      await expect(owner.channel.consumerCount()).rejects.toThrow(BrokerUnavailableError);
      await next.channel.close();
      expect(owner.received).toEqual(['baton', 'closed']);
    });

    test('lets a worker whose connection was cut open its lane again', async () => {
      const lane = newLane();
      const cut = await broker.connect();
      const before = await openLane(cut, lane);
      await cut.sever();
      await before.until(['closed']);
      const after = await eventually('the lane to be opened again', () => openLane(cut, lane).catch(() => undefined));
      await one.publisher.publishBaton(lane);
      await after.until(['baton']);
      await after.channel.close();
    });

    test('reports no event of a channel that its worker closed, whatever happens to the connection', async () => {
      const lane = newLane();
      const cut = await broker.connect();
      const owner = await openLane(cut, lane);
      const sibling = await openLane(cut, newLane());
      await owner.channel.close();
      await owner.channel.close();
      await expect(owner.channel.consumerCount()).rejects.toThrow(BrokerUnavailableError);
      await cut.sever();
      await sibling.until(['closed']);
      await one.publisher.publishBaton(lane);
      const next = await openLane(one, lane);
      await next.until(['baton']);
      expect(owner.received).toEqual([]);
      await next.channel.close();
    });

    test('counts the workers that consume a lane', async () => {
      const lane = newLane();
      const owner = await openLane(one, lane);
      expect(await owner.channel.consumerCount()).toBe(1);
      const next = await openLane(other, lane);
      expect(await owner.channel.consumerCount()).toBe(2);
      await next.channel.close();
      await eventually('one to be left', async () => (await owner.channel.consumerCount()) === 1);
      await owner.channel.close();
    });

    test('delivers a user queue in order, a few requests at a time, and the unacknowledged ones in place to the next owner', async () => {
      const userId = newUserId();
      const owner = openUserQueues(one);
      await Promise.all([owner.queues.open(userId), owner.queues.open(userId)]);
      await owner.queues.open(userId);
      await publishRequests(userId, upTo(30));
      await eventually('the first requests', () => owner.received.length >= 3);
      owner.ack('request 1');
      owner.ack('request 2');
      await eventually('some more', () => owner.received.length >= 5);
      expect(owner.received.length).toBeLessThan(30);
      expect(owner.received).toEqual(upTo(owner.received.length).map((seq) => `request ${seq}`));
      await owner.queues.close();
      await owner.queues.close();

      const next = openUserQueues(other);
      await next.queues.open(userId);
      for (const seq of upTo(30).slice(2)) {
        await eventually(`request ${seq}`, () => next.received.includes(`request ${seq}`));
        next.ack(`request ${seq}`);
      }
      expect(next.received).toEqual(
        upTo(30)
          .slice(2)
          .map((seq) => `request ${seq}`),
      );
      await next.queues.delete(userId);
      await next.queues.close();
    });

    test('deletes a user queue with its messages, and reports that only to a consumer that did not delete it', async () => {
      const [userId, another] = [newUserId(), newUserId()];
      const owner = openUserQueues(one);
      const stranger = openUserQueues(other);
      await owner.queues.open(userId);
      await publishRequests(userId, [1]);
      await owner.until(['request 1']);
      await stranger.queues.open(userId);
      await stranger.queues.open(another);
      await owner.queues.delete(userId);
      await stranger.until([`lost ${userId}`]);
      expect(await one.publisher.publishRequest(userId, requestMessage(2))).toBe('unroutable');
      await owner.queues.delete(userId);
      await owner.queues.delete(another);
      await stranger.until([`lost ${userId}`, `lost ${another}`]);
      expect(owner.received).toEqual(['request 1']);
      await owner.queues.close();
      await stranger.queues.close();
    });

    test('deletes an unused user queue, and leaves one that somebody consumes', async () => {
      const [used, unused] = [newUserId(), newUserId()];
      const owner = openUserQueues(one);
      const earlier = openUserQueues(other);
      await owner.queues.open(used);
      await earlier.queues.open(unused);
      await earlier.queues.close();
      for (const userId of [used, unused, unused]) await other.laneBroker.deleteUnusedUserQueue(userId);
      expect(await one.publisher.publishRequest(unused, requestMessage(1))).toBe('unroutable');
      await publishRequests(used, [1]);
      await owner.until(['request 1']);
      await owner.queues.delete(used);
      await owner.queues.close();
    });

    test('lets a user queue be opened again after it was deleted, by its owner or by somebody else', async () => {
      const userId = newUserId();
      const owner = openUserQueues(one);
      const stranger = openUserQueues(other);
      await owner.queues.open(userId);
      await owner.queues.delete(userId);
      await owner.queues.open(userId);
      await publishRequests(userId, [1]);
      await owner.until(['request 1']);

      await stranger.queues.delete(userId);
      await owner.until(['request 1', `lost ${userId}`]);
      await owner.queues.open(userId);
      await publishRequests(userId, [2]);
      await owner.until(['request 1', `lost ${userId}`, 'request 2']);
      owner.ack('request 1');
      owner.ack('request 2');
      await owner.queues.delete(userId);
      await owner.queues.close();
      await stranger.queues.close();
    });

    test('refuses to declare one user queue without a word to the lane and to the other users, until it can be declared', async () => {
      const [lane, healthy, refused] = [newLane(), newUserId(), newUserId()];
      const allow = await broker.refuse(refused, 'declare');
      const owner = await openLane(one, lane);
      const { queues, ...users } = openUserQueues(one);
      await one.publisher.publishBaton(lane);
      await owner.until(['baton']);
      await queues.open(healthy);
      await publishRequests(healthy, upTo(20));
      await eventually('the first requests', () => users.received.length >= 3);
      const opened = await Promise.allSettled([refused, healthy, refused].map((userId) => queues.open(userId)));
      expect(opened.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
      expect(opened[0]).toMatchObject({ reason: expect.any(BrokerRefusedError) });
      await expect(queues.open(refused)).rejects.toThrow(BrokerRefusedError);
      for (const seq of upTo(20)) {
        await eventually(`request ${seq}`, () => users.received.includes(`request ${seq}`));
        users.ack(`request ${seq}`);
      }
      // Every request once: no consumer was lost, and nothing returned to its queue.
      expect(users.received).toEqual(upTo(20).map((seq) => `request ${seq}`));

      await allow();
      await queues.open(refused);
      await publishRequests(refused, [21]);
      await eventually('the request of the user that was refused', () => users.received.includes('request 21'));
      expect(owner.received).toEqual(['baton']);
      for (const userId of [healthy, refused]) await queues.delete(userId);
      await queues.close();
      await owner.channel.close();
    });

    test('reports every consumer that was lost because the broker refused another, and lets them be opened again', async () => {
      const [lane, healthy, refused] = [newLane(), newUserId(), newUserId()];
      const owner = await openLane(one, lane);
      await one.publisher.publishBaton(lane);
      await owner.until(['baton']);
      const { queues, ...users } = openUserQueues(one);
      await queues.open(healthy);
      await publishRequests(healthy, upTo(20));
      await eventually('the first requests', () => users.received.length >= 3);
      users.ack('request 1');
      const allow = await broker.refuse(refused, 'consume');
      await expect(queues.open(refused)).rejects.toThrow(BrokerRefusedError);
      await eventually('the loss', () => users.received.includes(`lost ${healthy}`));

      users.received.length = 0;
      await queues.open(healthy);
      await eventually('the next requests', () => users.received.length >= 3);
      // Only the first refusal disturbs the others.
      for (const _ of upTo(3)) await expect(queues.open(refused)).rejects.toThrow(BrokerRefusedError);
      for (const seq of upTo(20).slice(1)) {
        await eventually(`request ${seq}`, () => users.received.includes(`request ${seq}`));
        users.ack(`request ${seq}`);
      }
      expect(users.received).toEqual(
        upTo(20)
          .slice(1)
          .map((seq) => `request ${seq}`),
      );

      await allow();
      await queues.open(refused);
      await publishRequests(refused, [21]);
      await eventually('the request of the user that was refused', () => users.received.includes('request 21'));
      expect(owner.received).toEqual(['baton']);
      for (const userId of [healthy, refused]) await queues.delete(userId);
      await queues.close();
      await owner.channel.close();
    });

    test('opens every user queue but those that it refuses, however many come at once', async () => {
      const users = upTo(12).map(newUserId);
      const refused = users.filter((_, index) => index % 4 === 1);
      const allow = await Promise.all(refused.map((userId) => broker.refuse(userId, 'consume')));
      const { queues, received } = openUserQueues(one);
      const opened = await Promise.allSettled(users.map((userId) => queues.open(userId)));
      const isOpen = opened.map(({ status }) => status === 'fulfilled');
      const lost = new Set(received);
      for (const userId of users) if (lost.has(`lost ${userId}`)) await queues.open(userId);
      expect(isOpen).toEqual(users.map((userId) => !refused.includes(userId)));
      for (const reason of opened.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))) {
        expect(reason).toBeInstanceOf(BrokerRefusedError);
      }
      for (const again of allow) await again();
      for (const userId of users) await queues.open(userId);
      for (const userId of users) await queues.delete(userId);
      await queues.close();
    });

    test('reports every consumer whose connection was cut, lets them be opened again, and delivers in place', async () => {
      const userId = newUserId();
      const cut = await broker.connect();
      const { queues, ...users } = openUserQueues(cut);
      await queues.open(userId);
      await publishRequests(userId, [1, 2]);
      await users.until(['request 1', 'request 2']);
      await cut.sever();
      await users.until(['request 1', 'request 2', `lost ${userId}`]);
      users.ack('request 1');
      await eventually('the queue to be opened again', () =>
        queues.open(userId).then(
          () => true,
          () => false,
        ),
      );
      await users.until(['request 1', 'request 2', `lost ${userId}`, 'request 1', 'request 2']);
      await queues.delete(userId);
      await queues.close();
    });

    test('reports no event of user queues that were closed, and opens none of them', async () => {
      const userId = newUserId();
      const cut = await broker.connect();
      const { queues, ...users } = openUserQueues(cut);
      await queues.open(userId);
      const opening = queues.open(newUserId()).catch((error) => error);
      await queues.close();
      expect(await opening).toBeInstanceOf(BrokerUnavailableError);
      await expect(queues.open(userId)).rejects.toThrow(BrokerUnavailableError);
      await expect(queues.delete(userId)).rejects.toThrow(BrokerUnavailableError);
      const next = openUserQueues(other);
      await next.queues.open(userId);
      await publishRequests(userId, [1]);
      await next.until(['request 1']);
      await cut.sever();
      await next.queues.delete(userId);
      await next.queues.close();
      expect(users.received).toEqual([]);
    });

    test('rejects as unavailable when no server answers', async () => {
      const { publisher, laneBroker } = await broker.connectToNothing();
      await expect(publisher.publishWake(newLane(), newUserId())).rejects.toThrow(BrokerUnavailableError);
      await expect(laneBroker.openLane(newLane(), createRecorder().events)).rejects.toThrow(BrokerUnavailableError);
      const opening = laneBroker.openUserQueues(createRecorder().events).open(newUserId());
      await expect(opening).rejects.toThrow(BrokerUnavailableError);
      await expect(opening).rejects.not.toThrow(BrokerRefusedError);
    });
  });
};
