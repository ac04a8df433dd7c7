import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { takenAway } from './break-scenarios.ts';
import { breaks } from './breaks.ts';
import { runCampaign } from './campaign.ts';
import { found } from './found.ts';
import { simulate } from './run.ts';
import { anyScenario, scenarioOf } from './scenario.ts';
import type { Trace } from './world.ts';

const describeFailure = (failure: NonNullable<Awaited<ReturnType<typeof runCampaign>>['failure']>): string =>
  JSON.stringify({ violations: failure.result.violations, scenario: failure.scenario });

describe('the production code under a seeded scheduler', () => {
  test.each([
    ['a fixed seed', 20_261_125, 550],
    ['a random seed', Math.floor(Math.random() * 1e9), 400],
  ])(
    'keeps every guarantee with %s (%i) in %i runs',
    async (_name, seed, runs) => {
      const { failure } = await runCampaign({ runs, seed });
      expect(failure && describeFailure(failure)).toBeUndefined();
    },
    120_000,
  );

  test('keeps every guarantee while workers take the lanes of those that stand still away', async () => {
    let taken = 0;
    const trace: Trace = (_process, what, result) => {
      if (what.startsWith('lanes.takeAway') && result === true) taken += 1;
    };
    for (const scenario of fc.sample(scenarioOf(takenAway), { seed: 5, numRuns: 40 }))
      expect((await simulate(scenario, { trace })).violations).toEqual([]);
    expect(taken).toBeGreaterThan(20);
  }, 120_000);

  test.each(found)('leaves nothing behind when %s', async (_what, scenario) => {
    expect((await simulate(scenario)).violations).toEqual([]);
  });

  test('produces the same history for the same scenario', async () => {
    const scenarios = fc.sample(anyScenario, { seed: 7, numRuns: 20 });
    for (const scenario of scenarios) {
      const [first, second] = [await simulate(scenario), await simulate(scenario)];
      expect(JSON.stringify(second.history)).toBe(JSON.stringify(first.history));
    }
  }, 60_000);
});

describe('the simulation of a broken protocol', () => {
  test('finds no violation in the scenarios of the breaks when nothing is broken', async () => {
    // Several breaks have the same scenarios.
    for (const scenarios of new Set(breaks.map((broken) => broken.scenarios))) {
      const { failure } = await runCampaign({ runs: 25, seed: 1, scenarios, shrink: false });
      expect(failure && describeFailure(failure)).toBeUndefined();
    }
  }, 120_000);

  test.each(breaks.map((broken) => [broken.name, broken.what, broken] as const))(
    'detects %s (%s)',
    async (_name, _what, broken) => {
      const { failure } = await runCampaign({ runs: broken.withinRuns, seed: 1, broken, shrink: false });
      const kinds = failure?.result.violations.map(({ kind }) => kind) ?? [];
      expect(kinds.filter((kind) => broken.shows.includes(kind))).not.toEqual([]);
    },
    60_000,
  );
});
