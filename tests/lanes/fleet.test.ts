/** How 50 workers share 2,000 lanes. `fleet.slow.test.ts` has 200 workers and 10,000 lanes. */
import { describe, test } from '@jest/globals';
import { expectFleetToShare } from './fleet-scenario.ts';

describe.each(['classic', 'quorum'] as const)('50 workers and 2,000 lanes on %s queues', (type) => {
  test('each has its share within some rounds, also when a quarter dies or joins at once', () => {
    expectFleetToShare({ type, lanes: 2_000, workers: 50 });
  });
});
