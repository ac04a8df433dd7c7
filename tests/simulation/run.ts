/** Simulates one scenario and returns its violations. */
import type { FinalState, HistoryEvent } from '../judge/history.ts';
import type { Break } from './breaks.ts';
import { createClients } from './clients.ts';
import { createFaults, type Faults } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { bytesHeld, finalState, isAtRest, leftOverQueues, type Violation, violationsOf } from './verdict.ts';
import { createWorkers } from './workers.ts';
import { createSimulatedWorld, type Trace } from './world.ts';

export type SimulationResult = {
  violations: Violation[];
  history: HistoryEvent[];
  final: FinalState;
  steps: number;
};

/** The limit in virtual time: several times as long as the slowest chain of timeouts. */
const maxMs = 240_000;
const maxSteps = 60_000;
/** After the run has come to rest, messages and calls that are still in flight get this time to take effect. */
const quietMs = 1_500;
/** By then, a sluggish worker that was frozen has noticed that its lane is lost, and lets go of the bodies that it held. */
const lettingGoMs = 20_000;
/**
 * By then, a worker that gave a lane up while it declared a user queue has checked that queue [R13]. Up to seven steps come one
 * after the other, and the network holds up each of them for 5 s at most.
 */
const lateQueuesMs = 60_000;

export const simulate = async (
  scenario: Scenario,
  options: { broken?: Break; trace?: Trace } = {},
): Promise<SimulationResult> => {
  const world = createSimulatedWorld(scenario, options.broken, (steps) => faults.beforeStep(steps), options.trace);
  const workers = createWorkers(world);
  const clients = createClients(world);
  const faults: Faults = createFaults(world, workers, clients);
  const { scheduler } = world;
  let played = false;
  const rest = () => played && clients.calls.size === 0 && !faults.isRepairing() && isAtRest(world, workers);

  for (let count = 0; count < scenario.workers; count += 1) workers.start();
  void clients.play().then(() => {
    played = true;
  });
  const ended = await scheduler.run(rest, { steps: maxSteps, untilMs: maxMs });
  const untilMs = scheduler.elapsedMs() + quietMs;
  await scheduler.run(() => false, { steps: maxSteps, untilMs });
  await scheduler.run(rest, { steps: maxSteps, untilMs: maxMs });
  const longestMs = scheduler.elapsedMs() + lettingGoMs;
  await scheduler.run(() => bytesHeld(workers) === 0, { steps: maxSteps, untilMs: longestMs });
  const checkedMs = scheduler.elapsedMs() + lateQueuesMs;
  const cleanedUp = () => leftOverQueues(world).length === 0 && (!ended || rest());
  await scheduler.run(cleanedUp, { steps: maxSteps, untilMs: checkedMs });
  const violations = violationsOf(world, workers, ended);
  const result = { violations, history: world.history, final: finalState(world), steps: scheduler.stepsTaken() };
  for (const { process } of [...workers.live()]) process.kill();
  return result;
};
