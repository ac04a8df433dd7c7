/** One hold on a lane, over a RabbitMQ that fails. */
import { expect, test } from '@jest/globals';
import { createLaneBroker } from '../../lib/broker/lane-broker.ts';
import { systemClock } from '../../lib/clock.ts';
import { BrokerUnavailableError } from '../../lib/errors.ts';
import { createContext } from '../../lib/lanes/context.ts';
import { LaneHold } from '../../lib/lanes/lane-hold.ts';
import { createShare } from '../../lib/lanes/share.ts';
import { debug, error, readableLog } from '../support/log-lines.ts';
import { eventually, openWorld, runHere, silentObserver } from '../support/world.ts';

const noQueues = {
  openUserQueues: () => ({ open: async () => undefined, delete: async () => undefined, close: async () => undefined }),
  deleteUnusedUserQueue: async () => undefined,
};

/** Far more than a pause between two tries allows. */
const tooMany = 100;

const runRequest = async () => ({ kind: 'done' as const, result: 'null' });

test('a lane that cannot be opened because of a defect is logged as an error, but an outage is not', async () => {
  await using world = await openWorld({ lanes: 1 });
  for (const [cause, level] of [
    [new BrokerUnavailableError('RabbitMQ cannot be reached.'), debug],
    [new TypeError('lane is not defined'), error],
  ] as const) {
    const { lines, log } = readableLog('debug');
    const laneBroker = {
      ...noQueues,
      deleteLane: async () => undefined,
      openLane: async () => {
        throw cause;
      },
    };
    const deps = { ...world.deps, log, laneBroker, planRun: runHere, runRequest, observer: silentObserver };
    const hold = new LaneHold(
      0,
      createContext(
        deps,
        'w',
        createShare(systemClock, 'w', () => 1),
      ),
    );
    expect(await hold.ended).toBe('lost');
    expect(lines).toEqual([expect.objectContaining({ level, lane: 0, msg: 'could not open the lane' })]);
  }
});

test('a baton that RabbitMQ does not take is published again after a pause, even after the runs were aborted', async () => {
  await using world = await openWorld({ lanes: 1 });
  const laneBroker = createLaneBroker(world.config, world.deps.log);
  await using _open = { [Symbol.asyncDispose]: () => laneBroker.close() };
  let tries = 0;
  const publisher = {
    ...world.deps.publisher,
    publishBaton: async () => {
      tries += 1;
      if (tries > tooMany) return 'routed' as const;
      throw new BrokerUnavailableError('an alarm');
    },
  };
  const hold = new LaneHold(
    0,
    createContext(
      { ...world.deps, publisher, laneBroker, planRun: runHere, runRequest, observer: silentObserver },
      'w',
      createShare(systemClock, 'w', () => 1),
    ),
  );
  await eventually('it stands by', () => tries === 1);
  hold.abortRuns();
  await eventually('it tried again', () => tries > 1);
  await new Promise((resolve) => systemClock.after(0, () => resolve(undefined)));
  expect(tries).toBe(2);
  await hold.handOver('stopped');
});
