/** The queue in memory and the real one, on real servers, do the same. */
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import type { RunRequest } from '../../lib/ports.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { dropDeadLetter } from '../../lib/requests/dead-letters.ts';
import { retry, skipRequest } from '../../lib/requests/retry.ts';
import { createPlanRun } from '../../lib/runs/plan.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import { policyInTest } from '../../lib/testing/policy-in-test.ts';
import { createTestQueue, type TestDeadLetter, type TestRequest } from '../../lib/testing.ts';
import type { LedgerEntry } from '../../lib/types.ts';
import { openWorld, type TestUser, type World } from '../support/world.ts';
import { policyOf, type Queue, recordingProcessor, scenarios } from './scenarios.ts';

const requestOf = ({ body, result, ...entry }: LedgerEntry): TestRequest => ({
  ...entry,
  request: body && JSON.parse(body),
  result: result && JSON.parse(result),
});

const realQueue = (world: World): Queue => {
  const { deps } = world;
  const users = new Map<string, Promise<TestUser>>();
  const of = async (name: string, seq: number) => {
    const user = users.get(name) ?? world.user();
    users.set(name, user);
    return { ...(await user), seq };
  };
  return {
    enqueue: async (user, request, { key, ...limits } = {}) => world.enqueue(await of(user, 0), request, key, limits),
    result: async (user, seq) => requestOf(await world.settled(await of(user, seq), seq)),
    retry: async (user, seq) => {
      const retried = await retry(await of(user, seq), deps);
      return retried.kind === 'again' ? retried.accepted.seq : seq;
    },
    skip: async (user, seq) => void (await skipRequest(await of(user, seq), deps)),
    cancel: async (user, seq) => void (await cancelRequest(await of(user, seq), deps)),
    drop: async (user, seq) => void (await dropDeadLetter.decide(await of(user, seq), deps)),
    deadLetters: async (user = '') => {
      const { userId } = await of(user, 0);
      const entries = await deps.ledger.deadLetters({ userId, limit: 100 });
      return entries.map((entry) => ({ ...requestOf(entry), user }) as TestDeadLetter);
    },
    pass: async () => undefined,
  };
};

let world: World;
let runRequest: RunRequest;
beforeAll(async () => {
  world = await openWorld({ lanes: 1, graceMs: 500 });
  world.work((run) => runRequest(run), { planRun: createPlanRun(policyInTest({}), { maxCrashes: 3 }) });
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe.each(Object.entries(scenarios))('a queue %s', (_title, scenario) => {
  test('in memory', async () => {
    const { calls, processor } = recordingProcessor(() => queue.now().getTime());
    const queue = createTestQueue(processor, { policy: policyOf(scenario) });
    await scenario.run(Object.assign(queue, { pass: (ms: number) => queue.advance(ms) }), calls);
  });

  test('on real servers', async () => {
    const { calls, processor } = recordingProcessor(() => performance.now());
    const policy = policyInTest(policyOf(scenario));
    runRequest = createRunRequest({ processor, policy }, { clock: systemClock, log: world.deps.log });
    await scenario.run(realQueue(world), calls);
  });
});
