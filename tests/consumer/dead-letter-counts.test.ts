/** The counters of failures and dead letters, over real lanes: they count what this worker recorded in the ledger. */
import { describe, expect, test } from '@jest/globals';
import { createWorkerMetrics } from '../../lib/consumer/metrics.ts';
import { createLogger } from '../../lib/log.ts';
import type { DeadLetterReason, Outcome } from '../../lib/types.ts';
import { eventually, openWorld } from '../support/world.ts';

const error = { name: 'Error', message: 'no luck' };
const outcomeOf = (kind: 'failed' | 'blocked', reason: DeadLetterReason): Outcome => ({ kind, error, reason });

const openMetrics = () =>
  createWorkerMetrics({
    clock: { monotonicMs: () => 0, after: () => () => {} },
    log: createLogger('silent'),
    snapshot: () => undefined,
  });

describe('failures and dead letters', () => {
  test.each(['failed', 'blocked'] as const)('are not counted when the ledger refuses the outcome: %s', async (kind) => {
    await using world = await openWorld({ lanes: 1 });
    const { registry, observer } = openMetrics();
    const started = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    world.work(
      async () => {
        started.resolve();
        await end.promise;
        return outcomeOf(kind, 'failed');
      },
      { observer },
    );
    const user = await world.user();
    await world.enqueue(user, 1);
    await started.promise;
    const claim = { kind: 'claim', userId: user.userId, seq: 1, token: 99, attempt: 2 } as const;
    await world.stores.ledger.commit([{ ...claim, interruptions: 0, forgiven: 0, at: new Date() }]);
    end.resolve();
    const text = await eventually('the lane is lost', async () => {
      const metrics = await registry.metrics();
      return metrics.includes('lanekeeper_lanes_released_total{reason="lost"} 1\n') && metrics;
    });
    expect(text).toContain('lanekeeper_failures_total 0\n');
    expect(text).toContain('lanekeeper_blocked_total 0\n');
    expect(text).not.toMatch(/^lanekeeper_dead_letters_total\{.*\} [1-9]/m);
  });

  test('are counted once when the ledger records the outcome, with the reason', async () => {
    await using world = await openWorld({ lanes: 1 });
    const { registry, observer } = openMetrics();
    const outcomes = [outcomeOf('failed', 'failed'), outcomeOf('failed', 'crashed'), outcomeOf('blocked', 'failed')];
    world.work(async ({ seq }) => outcomes[seq - 1]!, { observer });
    const user = await world.user();
    for (const _outcome of outcomes) await world.enqueue(user, 1);
    await eventually('the last one is blocked', async () => (await world.entry(user, 3))?.status === 'blocked');
    const text = await eventually('all are counted', async () => {
      const metrics = await registry.metrics();
      return metrics.includes('lanekeeper_blocked_total 1\n') && metrics;
    });
    expect(text).toContain('lanekeeper_failures_total 2\n');
    expect(text).toContain('lanekeeper_dead_letters_total{reason="failed"} 2\n');
    expect(text).toContain('lanekeeper_dead_letters_total{reason="crashed"} 1\n');
  });
});
