/** The last release and this checkout side by side, there and back. `UPGRADE_FROM` names another commit, `UPGRADE_SEED` the seed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { expect, test } from '@jest/globals';
import { root } from '../../tools/run-tool.ts';
import { findRabbitmq } from '../../tools/services/rabbitmq.ts';
import { checkOut, commitOf } from './checkout.ts';
import { runUpgrade } from './roll.ts';

const seed = Number(env.UPGRADE_SEED ?? Date.now() % 1_000_000);
const commit = await commitOf(env.UPGRADE_FROM).catch((error: Error) => error);
const reason = findRabbitmq()
  ? commit instanceof Error && commit.message
  : 'it needs an installed RabbitMQ that it may stop';

(reason ? test.skip : test)(
  `two versions share the servers while each process is replaced, and back again${reason ? ` (skipped: ${reason})` : ''}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-upgrade-'));
    using earlier = await checkOut(String(commit));
    const result = await runUpgrade({
      from: earlier.folder,
      to: root,
      seed,
      withFaults: true,
      folder,
      say: () => undefined,
    });
    expect({ commit, seed, history: folder, violations: result.violations }).toMatchObject({ violations: [] });
    expect(result.replaced).toBe(16);
    expect(result.counts.accepted).toBeGreaterThan(100);
    rmSync(folder, { recursive: true });
  },
  900_000,
);
