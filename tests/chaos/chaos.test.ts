/** One minute of chaos, with a new seed each time. `CHAOS_SEED` sets the seed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { expect, test } from '@jest/globals';
import { findRabbitmq } from '../../tools/services/rabbitmq.ts';
import { minute } from './plan.ts';
import { runChaos } from './run.ts';

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);

// Without a local RabbitMQ program (RabbitMQ in Docker, for example) this test has no server that it may stop.
(findRabbitmq() ? test : test.skip)(
  'a minute of faults of all kinds: nothing is lost, all runs are in order and one at a time, no queue is left',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-chaos-'));
    const result = await runChaos({ seed, ...minute, habits: { users: 12 }, folder });
    const replay = `CHAOS_SEED=${seed} npm test -- tests/chaos/chaos.test.ts`;
    stdout.write(`chaos: ${result.injected.length} faults, seed ${seed}; to replay the seed: ${replay}\n`);
    expect({ seed, history: folder, violations: result.violations }).toMatchObject({ violations: [] });
    expect(new Set(result.injected.map(({ fault }) => fault)).size).toBeGreaterThan(minute.only.length / 2);
    expect(result.counts.accepted).toBeGreaterThan(100);
    rmSync(folder, { recursive: true });
  },
  300_000,
);
