/** One simulated run, from a scenario to its violations. */
import type { FinalState, HistoryEvent } from '../judge/history.ts';
import type { Break } from './breaks.ts';
import { createClients } from './clients.ts';
import { createFaults, type Faults } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { finalState, isAtRest, judgeWorld, type Violation } from './verdict.ts';
import { createWorkers } from './workers.ts';
import { createWorld, type Trace } from './world.ts';

export type SimulationResult = {
  violations: Violation[];
  history: HistoryEvent[];
  final: FinalState;
  steps: number;
};

/** In virtual time: several times what the slowest chain of timeouts takes. */
const longestMs = 240_000;
const mostSteps = 60_000;
/** What is still on its way when all is done has this long to do harm. */
const quietMs = 1_500;

export const simulate = async (
  scenario: Scenario,
  options: { broken?: Break; trace?: Trace } = {},
): Promise<SimulationResult> => {
  const world = createWorld(scenario, options.broken, (steps) => faults.beforeStep(steps), options.trace);
  const workers = createWorkers(world);
  const clients = createClients(world);
  const faults: Faults = createFaults(world, workers, clients);
  const { scheduler } = world;
  let played = false;
  const rest = () => played && clients.calls.size === 0 && !faults.isMending() && isAtRest(world, workers);

  for (let count = 0; count < scenario.workers; count += 1) workers.start();
  void clients.play().then(() => {
    played = true;
  });
  const ended = await scheduler.run(rest, { steps: mostSteps, untilMs: longestMs });
  const untilMs = scheduler.elapsedMs() + quietMs;
  await scheduler.run(() => false, { steps: mostSteps, untilMs });
  await scheduler.run(rest, { steps: mostSteps, untilMs: longestMs });
  const violations = judgeWorld(world, workers, ended);
  const result = { violations, history: world.history, final: finalState(world), steps: scheduler.stepsTaken() };
  for (const { process } of [...workers.live()]) process.kill();
  return result;
};
