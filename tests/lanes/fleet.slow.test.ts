import { describe, test } from '@jest/globals';
import { expectFleetToShare } from './fleet-scenario.ts';

const testMs = 120_000;

describe.each(['classic', 'quorum'] as const)('200 workers and 10,000 lanes on %s queues', (type) => {
  test(
    'each has its share within some rounds, also when 50 die or join at once',
    () => {
      expectFleetToShare({ type, lanes: 10_000, workers: 200 });
    },
    testMs,
  );
});
