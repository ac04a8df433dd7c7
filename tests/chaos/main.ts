/** `npm run chaos`: see docs/reliability.md and tests/README.md. */
import { join } from 'node:path';
import process, { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { rabbitmq4, whyNoRabbitmq4 } from '../../tools/services/rabbitmq-4.ts';
import { startRabbitmqCluster } from '../support/rabbitmq-cluster.ts';
import { breakNames, isBreakName } from './breaks.ts';
import { type Measured, shortfallsOf } from './limits.ts';
import { runMeasures } from './measure.ts';
import { type Neighbors, runNeighbors } from './neighbors.ts';
import { type ChaosFault, chaosFaults, clusterFaults } from './plan.ts';
import { recoveryTable } from './promptness.ts';
import { type ChaosOptions, type ChaosResult, type ChaosViolation, runChaos } from './run.ts';
import { kindsOf, runTrial, tryAll } from './run-trials.ts';
import { isCaught, trials } from './trials.ts';
import { shortfallsOf as neighborShortfallsOf, type Waits } from './waits.ts';

const root = join(import.meta.dirname, '..', '..');
const print = (line: string): void => void stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    break: { type: 'string' },
    control: { type: 'boolean', default: false },
    measure: { type: 'boolean', default: false },
    neighbors: { type: 'boolean', default: false },
    cluster: { type: 'boolean', default: false },
    'max-queues': { type: 'string' },
    only: { type: 'string' },
    every: { type: 'string', default: '4' },
    out: { type: 'string', default: join(root, '.data', 'chaos') },
  },
});

const seed = Number(values.seed);
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

const printViolations = (violations: ChaosViolation[]): void => {
  for (const { kind, userId, seq, detail } of violations) print(`VIOLATION ${kind} ${userId} ${seq ?? ''}: ${detail}`);
};

const report = (result: ChaosResult): void => {
  const { injected, leftOut, recoveries, foundHung, historyFile, pictureFile, violations, seconds } = result;
  const counts = new Map<string, number>();
  for (const { fault } of injected) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  print('\nFor each fault, how long its worst user waited for the next run, in ms:');
  print(`${recoveryTable(recoveries, counts)}\n`);
  print(
    Object.entries(result.counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  );
  if (foundHung > 0) print(`${foundHung} hung workers were found although no fault had made them hang.`);
  print(`history: ${historyFile}\npicture: ${pictureFile}`);
  for (const sentence of leftOut) print(sentence);
  printViolations(violations);
  print(`${injected.length} faults in ${seconds} s, ${violations.length} violations, seed ${seed}`);
};

const options: ChaosOptions = {
  seed,
  durationMs: Number(values.minutes) * 60_000,
  everyMs: Number(values.every) * 1_000,
  folder: join(values.out, `seed-${seed}`),
  signal: stopping.signal,
};

const kindOf = (name: string, kinds: ChaosFault[]): ChaosFault => {
  const found = kinds.find((fault) => fault === name);
  if (found) return found;
  throw new Error(`--only names "${name}". A kind of fault is one of: ${kinds.join(', ')}.`);
};

/** The kinds that `--only` names, with commas between them. */
const onlyOf = (kinds: ChaosFault[]): ChaosFault[] | undefined =>
  values.only?.split(',').map((name) => kindOf(name.trim(), kinds));

/** With few user queues, most users are served from the ledger. */
const queueCap = (): Record<string, string> => {
  const { 'max-queues': cap } = values;
  return cap === undefined ? {} : { MAX_OPEN_QUEUES: cap };
};

const printReplay = (): void => {
  const { minutes, every, only, cluster, 'max-queues': cap } = values;
  const kind = `${cluster ? ' --cluster' : ''}${cap === undefined ? '' : ` --max-queues ${cap}`}`;
  const chosen = `${kind} --minutes ${minutes} --seed ${seed} --every ${every}`;
  print(`seed ${seed}; replay: npm run chaos --${chosen}${only ? ` --only "${only}"` : ''}`);
};

/** Runs all kinds of faults, or those that `--only` names. Resolves to whether every guarantee was kept. */
const runFaults = async (): Promise<boolean> => {
  const only = onlyOf(chaosFaults);
  printReplay();
  const result = await runChaos({ ...options, only, env: queueCap() });
  report(result);
  return result.violations.length === 0;
};

/** The same with a cluster of three nodes, whose nodes are hit one at a time. Without RabbitMQ 4 there is nothing to run. */
const runClusterFaults = async (): Promise<boolean> => {
  const reason = whyNoRabbitmq4();
  if (reason) {
    print(`Skipped: ${reason}.`);
    return true;
  }
  const only = onlyOf(clusterFaults) ?? clusterFaults;
  printReplay();
  const binary = await rabbitmq4(root, { say: (_name, line) => print(line) });
  await using cluster = await startRabbitmqCluster({ binary, reachedBy: 'hosts' });
  const result = await runChaos({ ...options, only, cluster, env: { LANE_QUEUE_TYPE: 'quorum', ...queueCap() } });
  report(result);
  return result.violations.length === 0;
};

/**
 * Resolves to whether the break was detected. With `--control`, nothing is broken and the same trial must keep every
 * guarantee.
 */
const tryBreak = async (name: string): Promise<boolean> => {
  if (name === 'all') return tryAll({ ...options, folder: values.out }, print);
  if (!isBreakName(name)) throw new Error(`--break is "${name}". It must be all or one of: ${breakNames.join(', ')}.`);
  print(`seed ${seed}; replay: npm run chaos -- --break ${name}${values.control ? ' --control' : ''} --seed ${seed}`);
  const result = await runTrial(name, !values.control, { ...options, folder: values.out });
  report(result);
  if (values.control) return result.violations.length === 0;
  const { shows, withinSeconds } = trials[name];
  const caught = isCaught(trials[name], result);
  print(
    `${name} ${caught ? 'detected' : 'NOT DETECTED'} in ${result.seconds} s; violations: ${kindsOf(result) || 'none'}`,
  );
  print(`expected: ${shows.join(' or ')} within ${withinSeconds} s`);
  return caught;
};

const printMeasured = (measured: Measured): void => {
  const { name, inFlight, usersHit, worstMs, limitMs, from, mostRepeats } = measured;
  const since = from === 'fromStartMs' ? 'after the fault began' : 'after the fault ended';
  const shortfalls = shortfallsOf(measured);
  print(
    [
      `${name}: ${shortfalls.length > 0 ? `NOT OK (${shortfalls.join(', ')})` : 'ok'}`,
      `${inFlight} runs in flight, ${usersHit} users hit`,
      `longest wait for the next start ${worstMs} ms ${since} (limit ${limitMs} ms)`,
      `at most ${mostRepeats} repeats per user`,
    ].join('; '),
  );
};

/** Resolves to whether processing continued in time after each fault. */
const measure = async (): Promise<boolean> => {
  const { measured, violations } = await runMeasures(join(values.out, 'measure'), values.only);
  for (const one of measured) printMeasured(one);
  printViolations(violations);
  return violations.length === 0 && measured.length > 0 && measured.every((one) => shortfallsOf(one).length === 0);
};

const describeWaits = ({ requests, p99Ms, worstMs }: Waits): string =>
  `${requests} requests waited up to ${worstMs} ms (p99 ${p99Ms} ms)`;

const printNeighbors = (compared: Neighbors): void => {
  const { name, hit, control, disturbed, limitMs, happened, violations } = compared;
  const shortfalls = neighborShortfallsOf(compared);
  print(
    [
      `${name}: ${shortfalls.length > 0 ? `NOT OK (${shortfalls.join(', ')})` : 'ok'}`,
      `control: ${describeWaits(control)}`,
      `${name}: ${describeWaits(disturbed)}`,
      `${disturbed.worstMs - control.worstMs} ms longer (limit ${limitMs} ms)`,
      `${happened} ${hit}`,
    ].join('; '),
  );
  printViolations(violations);
};

/** Resolves to whether no situation made other users wait longer than its limit. */
const compareNeighbors = async (): Promise<boolean> => {
  print(`seed ${seed}; repeat: npm run chaos -- --neighbors --seed ${seed}`);
  const folder = join(values.out, 'neighbors');
  const { signal } = stopping;
  const compared = await runNeighbors({ folder, seed, only: values.only, signal }, printNeighbors);
  const isOk = (one: Neighbors) => one.violations.length === 0 && neighborShortfallsOf(one).length === 0;
  return compared.length > 0 && compared.every(isOk);
};

const chosen = () => {
  if (values.neighbors) return compareNeighbors;
  if (values.measure) return measure;
  if (values.cluster) return runClusterFaults;
  return values.break ? () => tryBreak(values.break as string) : runFaults;
};
exit((await chosen()()) ? 0 : 1);
