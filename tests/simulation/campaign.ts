/** Simulates many scenarios until one violates a guarantee. Then shrinks that scenario and reports it. */
import fc from 'fast-check';
import type { Break } from './breaks.ts';
import { type SimulationResult, simulate } from './run.ts';
import { anyScenario, type Scenario, type ScenarioKind, scenarioOf } from './scenario.ts';

export type CampaignOptions = {
  runs: number;
  seed: number;
  /** The path of an earlier failure, as fast-check reported it. The campaign starts with that scenario. */
  path?: string;
  broken?: Break;
  /** Default: the scenarios that can reveal the break, or any scenario when nothing is broken. */
  scenarios?: ScenarioKind;
  /** Whether to shrink the failing scenario. Default: true. */
  shrink?: boolean;
  onRun?: (runs: number, result: SimulationResult) => void;
};

export type Failure = { scenario: Scenario; result: SimulationResult; path: string | undefined };
/** `seconds`: the time until the first failure, or until the end of all runs. */
export type CampaignResult = { runs: number; seconds: number; failure: Failure | undefined };

/**
 * A smaller scenario has other interleavings. This many of them are tried before the scenario counts as one that holds.
 */
const triesWhenShrinking = 25;
/** How many interleavings of the smallest scenario are tried to find the shortest one. */
const triesForShortest = 400;

const withSeed = (scenario: Scenario, offset: number): Scenario => ({
  ...scenario,
  seed: (scenario.seed + offset * 7_919) % 2_147_483_647,
});

const attempt = async (
  scenario: Scenario,
  tries: number,
  broken?: Break,
): Promise<Omit<Failure, 'path'> | undefined> => {
  for (let offset = 0; offset < tries; offset += 1) {
    const tried = withSeed(scenario, offset);
    const result = await simulate(tried, { broken });
    if (result.violations.length > 0) return { scenario: tried, result };
  }
  return undefined;
};

/** Finds the interleaving with the fewest steps that fails in the same way. */
const shortest = async (failure: Omit<Failure, 'path'>, broken?: Break): Promise<Omit<Failure, 'path'>> => {
  const kinds = new Set(failure.result.violations.map(({ kind }) => kind));
  let best = failure;
  for (let offset = 1; offset < triesForShortest; offset += 1) {
    const scenario = withSeed(failure.scenario, offset);
    const result = await simulate(scenario, { broken });
    const failsAlike = result.violations.some(({ kind }) => kinds.has(kind));
    if (failsAlike && result.steps < best.result.steps) best = { scenario, result };
  }
  return best;
};

export const runCampaign = async (options: CampaignOptions): Promise<CampaignResult> => {
  const { broken, shrink = true } = options;
  const startedAt = performance.now();
  let runs = 0;
  let seconds = 0;
  let failing: Omit<Failure, 'path'> | undefined;

  const holds = async (scenario: Scenario): Promise<boolean> => {
    const tries = failing || options.path ? triesWhenShrinking : 1;
    if (tries === 1) {
      runs += 1;
      const result = await simulate(scenario, { broken });
      seconds = (performance.now() - startedAt) / 1_000;
      options.onRun?.(runs, result);
      if (result.violations.length > 0) failing = { scenario, result };
      return result.violations.length === 0;
    }
    const failure = await attempt(scenario, tries, broken);
    if (failure) failing = failure;
    return !failure;
  };

  const kind = options.scenarios ?? broken?.scenarios;
  const scenarios = kind ? scenarioOf(kind) : anyScenario;
  const details = await fc.check(fc.asyncProperty(scenarios, holds), {
    numRuns: options.runs,
    seed: options.seed,
    path: options.path,
    endOnFailure: !shrink,
  });
  const found: Omit<Failure, 'path'> | undefined = failing;
  if (!found && details.errorInstance) throw details.errorInstance;
  if (!found) return { runs, seconds, failure: undefined };
  const reported = shrink ? await shortest(found, broken) : found;
  return { runs, seconds, failure: { ...reported, path: details.counterexamplePath ?? undefined } };
};
