import { describe, expect, test } from '@jest/globals';
import { BrokerRefusedError, BrokerUnavailableError } from '../../lib/errors.ts';
import type { Delivery, LaneEvents, UserQueueEvents } from '../../lib/ports.ts';
import { createMemoryBroker } from '../../lib/testing/memory-broker.ts';
import type { Step } from '../../lib/testing/memory-stores.ts';
import { type BrokerUnderTest, describeBrokerContract } from '../broker/broker-contract.ts';

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
    async refuse(userId, what) {
      const allow = broker.refuseUserQueue(userId, [what]);
      return async () => allow();
    },
    end: async () => undefined,
  };
};

describeBrokerContract('memory', openMemory);

/** Steps that wait until the test lets them happen. The test names them by their beginning. */
const createManualSteps = () => {
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
  const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const names = async (): Promise<string[]> => {
    await nextTurn();
    return waiting.map(({ name }) => name);
  };
  /** Lets the oldest step happen whose name begins with `name`. */
  const happen = async (name: string): Promise<void> => {
    await nextTurn();
    const index = waiting.findIndex((each) => each.name.startsWith(name));
    if (index < 0) {
      throw new Error(`No step "${name}" is waiting. Waiting: ${waiting.map((each) => each.name).join(', ')}`);
    }
    waiting.splice(index, 1)[0]!.happen();
    await nextTurn();
  };
  /** Lets all steps happen, oldest first, until none is waiting. */
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
  const received: string[] = [];
  const deliveries: Delivery[] = [];
  const receive = (what: string, delivery: Delivery): void => {
    received.push(what);
    deliveries.push(delivery);
  };
  const events: LaneEvents & UserQueueEvents = {
    baton: (delivery) => receive('baton', delivery),
    wake: (userId, delivery) => receive(`wake ${userId}`, delivery),
    request: (_userId, { seq }, delivery) => receive(`request ${seq}`, delivery),
    consumerLost: (userId) => void received.push(`lost ${userId}`),
    closed: (cause) => void received.push(`closed${cause ? `: ${cause.message}` : ''}`),
  };
  return { received, deliveries, events };
};

const message = (seq: number) => ({ seq, body: '{}', acceptedAt: 0 });

describe('The in-memory broker', () => {
  /** A worker that has opened lane 1 and the queue of `ada`. All of its later steps wait for the test. */
  const openManually = async (options: { userPrefetch?: number } = {}) => {
    const steps = createManualSteps();
    const broker = createMemoryBroker({ ...options, step: steps.step });
    const connection = broker.connect();
    const recorder = record();
    const opening = connection.laneBroker.openLane(1, recorder.events);
    await steps.rest();
    const channel = await opening;
    const queues = connection.laneBroker.openUserQueues(recorder.events);
    const openingUser = queues.open('ada');
    await steps.rest();
    await openingUser;
    return { steps, broker, connection, channel, queues, ...recorder };
  };

  test('takes a step for everything that crosses the network', async () => {
    const { steps, connection, received, deliveries } = await openManually();
    const published = connection.publisher.publishRequest('ada', message(1));
    expect(await steps.names()).toEqual(['publish request user.ada']);
    await steps.happen('publish');
    expect(await published).toBe('routed');
    expect(received).toEqual([]);
    await steps.happen('deliver user.ada');
    expect(received).toEqual(['request 1']);
    deliveries[0]!.ack();
    expect(await steps.names()).toEqual(['ack user.ada']);
  });

  test('keeps in order what a channel sends and what it receives', async () => {
    const { steps, broker, connection, queues, received, deliveries } = await openManually();
    for (const seq of [1, 2]) void connection.publisher.publishRequest('ada', message(seq));
    await steps.happen('publish');
    await steps.happen('publish');
    broker.deleteUserQueue('ada');
    expect(await steps.names()).toEqual(['deliver user.ada']);
    await steps.rest();
    expect(received).toEqual(['request 1', 'request 2', 'lost ada']);

    deliveries[0]!.ack();
    const closing = queues.close();
    expect(await steps.names()).toEqual(['ack user.ada', 'close declares']);
    await steps.rest();
    await closing;
  });

  test('delivers a message again when its ack is lost with the connection', async () => {
    const { steps, broker, connection, deliveries } = await openManually();
    void connection.publisher.publishRequest('ada', message(1));
    await steps.rest();
    deliveries[0]!.ack();
    expect(await steps.names()).toEqual(['ack user.ada']);
    connection.sever();
    await steps.rest();
    expect(broker.messageCount('user.ada')).toBe(1);
  });

  test('leaves a severed worker unaware until it notices: its calls hang, then fail', async () => {
    const { steps, broker, connection, queues, received } = await openManually();
    connection.sever();
    const failed: unknown[] = [];
    const note = (error: unknown): void => void failed.push(error);
    void queues.delete('ada').catch(note);
    void connection.laneBroker.openLane(2, record().events).catch(note);
    await steps.rest(['notice']);
    expect([received, failed]).toEqual([[], []]);
    expect(broker.queues()).toContain('user.ada');
    await steps.happen('notice user queues');
    // The worker is still waiting for its own delete.
    expect(received).toEqual([]);
    await steps.happen('notice');
    expect(received).toEqual(['closed: The connection was cut.', 'lost ada']);
    expect(failed).toEqual([expect.any(BrokerUnavailableError), expect.any(BrokerUnavailableError)]);
  });

  test('sends nothing to a severed worker, and nothing to the next worker before it has dropped the first one', async () => {
    const { steps, broker, connection, received } = await openManually();
    const next = record();
    const opening = broker.connect().laneBroker.openLane(1, next.events);
    await steps.rest();
    await opening;
    connection.sever();
    void connection.publisher.publishBaton(1);
    await steps.rest(['forget', 'notice']);
    expect([received, next.received]).toEqual([[], []]);
    expect(await steps.names()).toEqual(['forget lane.1', 'notice', 'forget user.ada', 'notice user queues']);
    await steps.happen('forget user.ada');
    expect(next.received).toEqual([]);
    await steps.rest();
    expect(next.received).toEqual(['baton']);
  });

  test('lets a message that was sent before the cut still arrive, but not after the worker has noticed the cut', async () => {
    const { steps, connection, received } = await openManually();
    for (const seq of [1, 2]) void connection.publisher.publishRequest('ada', message(seq));
    await steps.happen('publish');
    await steps.happen('publish');
    connection.sever();
    await steps.happen('deliver');
    await steps.happen('notice user queues');
    await steps.rest();
    expect(received).toEqual(['request 1', 'lost ada', 'closed: The connection was cut.']);
  });

  test('opens a user queue that was deleted between its declare and its consume, at the second try', async () => {
    const { steps, broker, queues, received } = await openManually();
    const opening = queues.open('bob');
    await steps.happen('declare user.bob');
    broker.deleteUserQueue('bob');
    await steps.rest();
    await opening;
    expect(received).toEqual(['lost ada']);
    expect(broker.queues()).toContain('user.bob');
  });

  test('loses the user queues alone when their connection is cut, or the channel of their consumers is closed', async () => {
    const { steps, connection, queues, received } = await openManually();
    connection.severUserQueues();
    await steps.rest();
    expect(received).toEqual(['lost ada']);
    const opening = queues.open('ada');
    await steps.rest();
    await opening;
    connection.shutUserQueues();
    await steps.rest();
    expect(received).toEqual(['lost ada', 'lost ada']);
    expect(connection.isActive(1)).toBe(true);
  });

  test('refuses a user queue that exists as well as one that does not, and its messages only when it is told so', async () => {
    const { steps, broker, connection, queues, received } = await openManually();
    const allow = broker.refuseUserQueue('ada');
    broker.refuseUserQueue('bob');
    const { deleteUnusedUserQueue } = connection.laneBroker;
    const calls = [queues.delete('ada'), queues.open('bob'), deleteUnusedUserQueue('bob')];
    const refused = calls.map((call) => call.catch((error) => error));
    await steps.rest();
    expect(await Promise.all(refused)).toEqual(calls.map(() => expect.any(BrokerRefusedError)));
    expect(broker.queues()).toEqual(['lane.1', 'user.ada']);
    const published = connection.publisher.publishRequest('ada', message(1));
    await steps.rest();
    expect(await published).toBe('routed');
    expect(received).toEqual(['request 1']);

    broker.refuseUserQueue('ada', ['publish']);
    const refusedMessage = connection.publisher.publishRequest('ada', message(2)).catch((error) => error);
    await steps.rest();
    expect(await refusedMessage).toBeInstanceOf(BrokerRefusedError);
    allow();
    const deleted = queues.delete('ada');
    await steps.rest();
    await deleted;
    expect(received).toEqual(['request 1']);
  });

  test('closes the channel of a lane that was deleted', async () => {
    const { steps, broker, channel, received } = await openManually();
    broker.deleteLane(1);
    await steps.rest();
    expect(received).toEqual(['closed']);
    await expect(channel.consumerCount()).rejects.toThrow(BrokerUnavailableError);
  });

  test('loses everything when it is wiped, and accepts new connections', async () => {
    const { steps, broker, connection, received } = await openManually();
    void connection.publisher.publishRequest('ada', message(1));
    await steps.happen('publish');
    broker.wipe();
    expect(broker.queues()).toEqual([]);
    await steps.rest();
    expect(received.toSorted()).toEqual(['closed: The connection was cut.', 'lost ada', 'request 1']);
    const again = record();
    const opening = connection.laneBroker.openLane(1, again.events);
    await steps.rest();
    await opening;
    expect(broker.queues()).toEqual(['lane.1']);
  });

  test('refuses every call while it is down, and has its queues and its batons alone when it is up again', async () => {
    const { steps, broker, connection } = await openManually();
    void connection.publisher.publishRequest('ada', message(1));
    void connection.publisher.publishWake(1, 'ada');
    void connection.publisher.publishBaton(1);
    await steps.rest();
    expect([broker.messageCount('user.ada'), broker.messageCount('lane.1')]).toEqual([1, 2]);
    broker.down();
    await steps.rest();
    const refused = [
      connection.publisher.publishBaton(1).catch((error) => error),
      connection.laneBroker.openLane(1, record().events).catch((error) => error),
    ];
    await steps.rest();
    for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(BrokerUnavailableError);
    broker.up();
    expect([broker.messageCount('user.ada'), broker.messageCount('lane.1')]).toEqual([0, 1]);
    expect(broker.queues()).toEqual(['lane.1', 'user.ada']);
  });

  test('delivers no more than the prefetch count', async () => {
    const { steps, connection, queues, received, deliveries } = await openManually({ userPrefetch: 2 });
    await queues.open('ada');
    for (const seq of [1, 2, 3, 4]) void connection.publisher.publishRequest('ada', message(seq));
    await steps.rest();
    expect(received).toEqual(['request 1', 'request 2']);
    deliveries[0]!.ack();
    await steps.rest();
    expect(received).toEqual(['request 1', 'request 2', 'request 3']);
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
    expect([dead.received, next.received]).toEqual([[], ['baton']]);
  });
});
