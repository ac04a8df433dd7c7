import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { breaks } from './breaks.ts';
import { runCampaign } from './campaign.ts';
import { simulate } from './run.ts';
import { anyScenario } from './scenario.ts';

const told = (failure: NonNullable<Awaited<ReturnType<typeof runCampaign>>['failure']>): string =>
  JSON.stringify({ violations: failure.result.violations, scenario: failure.scenario });

describe('the production code under a seeded scheduler', () => {
  test.each([
    ['a fixed seed', 20_261_125, 1_500],
    ['a seed of its own', Math.floor(Math.random() * 1e9), 500],
  ])(
    'keeps every promise, with %s (%i), in %i runs',
    async (_name, seed, runs) => {
      const { failure } = await runCampaign({ runs, seed });
      expect(failure && told(failure)).toBeUndefined();
    },
    120_000,
  );

  test('does the same again for the same scenario', async () => {
    const scenarios = fc.sample(anyScenario, { seed: 7, numRuns: 20 });
    for (const scenario of scenarios) {
      const [first, second] = [await simulate(scenario), await simulate(scenario)];
      expect(JSON.stringify(second.history)).toBe(JSON.stringify(first.history));
    }
  }, 60_000);
});

describe('with one step broken', () => {
  test('nothing is caught where nothing is broken', async () => {
    for (const { name, scenarios } of breaks) {
      const { failure } = await runCampaign({ runs: 60, seed: 11, scenarios, shrink: false });
      expect([name, failure && told(failure)]).toEqual([name, undefined]);
    }
  }, 60_000);

  test.each(breaks.map((broken) => [broken.name, broken.what, broken] as const))(
    '%s (%s) it is caught',
    async (_name, _what, broken) => {
      const { failure } = await runCampaign({ runs: broken.withinRuns, seed: 11, broken, shrink: false });
      const kinds = failure?.result.violations.map(({ kind }) => kind) ?? [];
      expect(kinds.filter((kind) => broken.shows.includes(kind))).not.toEqual([]);
    },
    60_000,
  );
});
