import { describe, expect, test } from '@jest/globals';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import type { Delivery, LaneEvents } from '../../lib/ports.ts';
import { type BrokerUnderTest, describeBrokerContract } from '../broker/broker-contract.ts';
import { createMemoryBroker } from './memory-broker.ts';
import type { Step } from './memory-stores.ts';

const openMemory = async (): Promise<BrokerUnderTest> => {
  const broker = createMemoryBroker();
  return {
    async connect() {
      const connection = broker.connect();
      return { ...connection, sever: async () => connection.sever() };
    },
    async connectToNothing() {
      const nothing = createMemoryBroker();
      nothing.down();
      return { ...nothing.connect(), sever: async () => undefined };
    },
    end: async () => undefined,
  };
};

describeBrokerContract('memory', openMemory);

/** Steps that wait until the test lets them happen, by the beginning of their name. */
const createHands = () => {
  const waiting: { name: string; happen(): void }[] = [];
  const step: Step = (name, operate) =>
    new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(operate());
        } catch (error) {
          reject(error);
        }
      };
      waiting.push({ name, happen: run });
    });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const names = async (): Promise<string[]> => {
    await settle();
    return waiting.map(({ name }) => name);
  };
  /** Lets the oldest step with this beginning happen. */
  const happen = async (name: string): Promise<void> => {
    await settle();
    const index = waiting.findIndex((each) => each.name.startsWith(name));
    if (index < 0) throw new Error(`no step ${name} waits; there are: ${waiting.map((each) => each.name).join(', ')}`);
    waiting.splice(index, 1)[0]!.happen();
    await settle();
  };
  /** Lets everything happen, oldest first, until nothing waits. */
  const rest = async (except: string[] = []): Promise<void> => {
    for (;;) {
      const next = (await names()).find((name) => !except.some((kept) => name.startsWith(kept)));
      if (next === undefined) return;
      await happen(next);
    }
  };
  return { step, names, happen, rest };
};

const record = () => {
  const told: string[] = [];
  const deliveries: Delivery[] = [];
  const note = (what: string, delivery: Delivery): void => {
    told.push(what);
    deliveries.push(delivery);
  };
  const events: LaneEvents = {
    baton: (delivery) => note('baton', delivery),
    wake: (userId, delivery) => note(`wake ${userId}`, delivery),
    request: (_userId, { seq }, delivery) => note(`request ${seq}`, delivery),
    userQueueCancelled: (userId) => void told.push(`cancelled ${userId}`),
    closed: (cause) => void told.push(`closed${cause ? `: ${cause.message}` : ''}`),
  };
  return { told, deliveries, events };
};

const message = (seq: number) => ({ seq, body: '{}', acceptedAt: 0 });

describe('The broker in memory', () => {
  /** A worker that has opened lane 1 and the queue of `ada`, all of whose later steps wait. */
  const openByHand = async (options: { userPrefetch?: number } = {}) => {
    const hands = createHands();
    const broker = createMemoryBroker({ ...options, step: hands.step });
    const connection = broker.connect();
    const recorder = record();
    const opening = connection.laneBroker.openLane(1, recorder.events);
    await hands.rest();
    const channel = await opening;
    const openingUser = channel.openUserQueue('ada');
    await hands.rest();
    await openingUser;
    return { hands, broker, connection, channel, ...recorder };
  };

  test('takes a step for every crossing of the network', async () => {
    const { hands, connection, told, deliveries } = await openByHand();
    const published = connection.publisher.publishRequest('ada', message(1));
    expect(await hands.names()).toEqual(['publish request user.ada']);
    await hands.happen('publish');
    expect(await published).toBe('routed');
    expect(told).toEqual([]);
    await hands.happen('deliver user.ada');
    expect(told).toEqual(['request 1']);
    deliveries[0]!.ack();
    expect(await hands.names()).toEqual(['ack user.ada']);
  });

  test('keeps in order what a channel sends and what it is sent', async () => {
    const { hands, broker, connection, channel, told, deliveries } = await openByHand();
    for (const seq of [1, 2]) void connection.publisher.publishRequest('ada', message(seq));
    await hands.happen('publish');
    await hands.happen('publish');
    broker.deleteUserQueue('ada');
    expect(await hands.names()).toEqual(['deliver user.ada']);
    await hands.rest();
    expect(told).toEqual(['request 1', 'request 2', 'cancelled ada']);

    deliveries[0]!.ack();
    const closing = channel.close();
    expect(await hands.names()).toEqual(['ack user.ada']);
    await hands.rest();
    await closing;
  });

  test('delivers again what was acked when the ack is lost with the connection', async () => {
    const { hands, broker, connection, deliveries } = await openByHand();
    void connection.publisher.publishRequest('ada', message(1));
    await hands.rest();
    deliveries[0]!.ack();
    expect(await hands.names()).toEqual(['ack user.ada']);
    connection.sever();
    await hands.rest();
    expect(broker.messageCount('user.ada')).toBe(1);
  });

  test('leaves a severed worker unaware until it notices: its calls hang, then fail', async () => {
    const { hands, broker, connection, channel, told } = await openByHand();
    connection.sever();
    const failed: unknown[] = [];
    const note = (error: unknown): void => void failed.push(error);
    void channel.deleteUserQueue('ada').catch(note);
    void connection.laneBroker.openLane(2, record().events).catch(note);
    await hands.rest(['notice']);
    expect([told, failed]).toEqual([[], []]);
    expect(broker.queues()).toContain('user.ada');
    await hands.happen('notice');
    expect(told).toEqual(['closed: The connection was cut.']);
    expect(failed).toEqual([expect.any(BrokerUnavailableError), expect.any(BrokerUnavailableError)]);
  });

  test('sends nothing to a severed worker, and to the next one only when it forgot the first', async () => {
    const { hands, broker, connection, told } = await openByHand();
    const next = record();
    const opening = broker.connect().laneBroker.openLane(1, next.events);
    await hands.rest();
    await opening;
    connection.sever();
    void connection.publisher.publishBaton(1);
    await hands.rest(['forget', 'notice']);
    expect([told, next.told]).toEqual([[], []]);
    expect(await hands.names()).toEqual(['forget lane.1', 'forget user.ada', 'notice']);
    await hands.happen('forget user.ada');
    expect(next.told).toEqual([]);
    await hands.rest();
    expect(next.told).toEqual(['baton']);
  });

  test('lets what was sent before the cut still arrive, and nothing after the worker noticed', async () => {
    const { hands, connection, told } = await openByHand();
    for (const seq of [1, 2]) void connection.publisher.publishRequest('ada', message(seq));
    await hands.happen('publish');
    await hands.happen('publish');
    connection.sever();
    await hands.happen('deliver');
    await hands.happen('notice');
    await hands.rest();
    expect(told).toEqual(['request 1', 'closed: The connection was cut.']);
  });

  test('closes the channel of a worker whose user queue was deleted between its declare and its consume', async () => {
    const { hands, broker, channel, told } = await openByHand();
    const opening = channel.openUserQueue('bob').catch((error) => error);
    await hands.happen('declare user.bob');
    broker.deleteUserQueue('bob');
    await hands.rest();
    expect(await opening).toBeInstanceOf(BrokerUnavailableError);
    expect(told).toEqual(['closed: 404: no queue user.bob']);
  });

  test('closes the channel of a lane that was deleted', async () => {
    const { hands, broker, channel, told } = await openByHand();
    broker.deleteLane(1);
    await hands.rest();
    expect(told).toEqual(['closed']);
    await expect(channel.consumerCount()).rejects.toThrow(BrokerUnavailableError);
  });

  test('loses everything when it is wiped, and takes new connections', async () => {
    const { hands, broker, connection, told } = await openByHand();
    void connection.publisher.publishRequest('ada', message(1));
    await hands.happen('publish');
    broker.wipe();
    expect(broker.queues()).toEqual([]);
    await hands.rest();
    expect(told.at(-1)).toBe('closed: The connection was cut.');
    const again = record();
    const opening = connection.laneBroker.openLane(1, again.events);
    await hands.rest();
    await opening;
    expect(broker.queues()).toEqual(['lane.1']);
  });

  test('refuses everybody while it is down, and has its messages when it is up again', async () => {
    const { hands, broker, connection } = await openByHand();
    void connection.publisher.publishRequest('ada', message(1));
    await hands.rest();
    broker.down();
    await hands.rest();
    const refused = [
      connection.publisher.publishBaton(1).catch((error) => error),
      connection.laneBroker.openLane(1, record().events).catch((error) => error),
    ];
    await hands.rest();
    for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(BrokerUnavailableError);
    broker.up();
    expect(broker.messageCount('user.ada')).toBe(1);
    expect(broker.queues()).toEqual(['lane.1', 'user.ada']);
  });

  test('holds back what is above the prefetch', async () => {
    const { hands, connection, channel, told, deliveries } = await openByHand({ userPrefetch: 2 });
    await channel.openUserQueue('ada');
    for (const seq of [1, 2, 3, 4]) void connection.publisher.publishRequest('ada', message(seq));
    await hands.rest();
    expect(told).toEqual(['request 1', 'request 2']);
    deliveries[0]!.ack();
    await hands.rest();
    expect(told).toEqual(['request 1', 'request 2', 'request 3']);
  });

  test('takes no further step of a process that died', async () => {
    const broker = createMemoryBroker();
    let alive = true;
    const mortal: Step = (_name, operate) =>
      new Promise((resolve) => {
        if (alive) resolve(Promise.resolve().then(operate));
      });
    const dying = broker.connect(mortal);
    const dead = record();
    await dying.laneBroker.openLane(1, dead.events);
    alive = false;
    dying.sever();
    const next = record();
    await broker.connect().laneBroker.openLane(1, next.events);
    await broker.connect().publisher.publishBaton(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect([dead.told, next.told]).toEqual([[], ['baton']]);
  });
});
