/** Many runs: until one shows a violation, which is then made small and told. */
import fc from 'fast-check';
import type { Break } from './breaks.ts';
import { type SimulationResult, simulate } from './run.ts';
import { anyScenario, type Scenario, type ScenarioKind, scenarioOf } from './scenario.ts';

export type CampaignOptions = {
  runs: number;
  seed: number;
  /** Of an earlier failure: goes straight to it. */
  path?: string;
  broken?: Break;
  /** Default: those that can show what is broken, or any. */
  scenarios?: ScenarioKind;
  /** Makes the failing scenario small. Default true. */
  shrink?: boolean;
  onRun?: (runs: number, result: SimulationResult) => void;
};

export type Failure = { scenario: Scenario; result: SimulationResult; path: string | undefined };
/** `seconds`: until the first failure, or all. */
export type CampaignResult = { runs: number; seconds: number; failure: Failure | undefined };

/** A smaller scenario is another run altogether: so many interleavings decide whether it fails too. */
const triesWhenShrinking = 25;
/** Of the smallest scenario, the shortest of so many interleavings is told. */
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

/** Of the interleavings that fail the same way, the one with the fewest steps. */
const shortest = async (failure: Omit<Failure, 'path'>, broken?: Break): Promise<Omit<Failure, 'path'>> => {
  const kinds = new Set(failure.result.violations.map(({ kind }) => kind));
  let best = failure;
  for (let offset = 1; offset < triesForShortest; offset += 1) {
    const scenario = withSeed(failure.scenario, offset);
    const result = await simulate(scenario, { broken });
    const alike = result.violations.some(({ kind }) => kinds.has(kind));
    if (alike && result.steps < best.result.steps) best = { scenario, result };
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
  const told = shrink ? await shortest(found, broken) : found;
  return { runs, seconds, failure: { ...told, path: details.counterexamplePath ?? undefined } };
};
