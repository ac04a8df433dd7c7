/** `npm run chaos`: see docs/reliability.md. */
import { join } from 'node:path';
import process, { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { breakNames, isBreakName } from './breaks.ts';
import { shortfallsOf } from './limits.ts';
import { runMeasures } from './measure.ts';
import { recoveryTable } from './promptness.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './run.ts';
import { isCaught, trials } from './trials.ts';
import { kindsOf, runTrial, tryAll } from './tries.ts';

const root = join(import.meta.dirname, '..', '..');
const say = (line: string): void => void stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    break: { type: 'string' },
    control: { type: 'boolean', default: false },
    measure: { type: 'boolean', default: false },
    only: { type: 'string' },
    every: { type: 'string', default: '4' },
    out: { type: 'string', default: join(root, '.data', 'chaos') },
  },
});

const seed = Number(values.seed);
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

const report = (result: ChaosResult): void => {
  const counts = new Map<string, number>();
  for (const { fault } of result.injected) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  say(
    `\nHow long the worst user of each fault waited for its next run, in ms:\n${recoveryTable(result.recoveries, counts)}\n`,
  );
  say(
    Object.entries(result.counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  );
  if (result.foundHung > 0) say(`${result.foundHung} workers were found hung that no fault had hung.`);
  say(`history ${result.historyFile}\npicture ${result.pictureFile}`);
  for (const { kind, userId, seq, detail } of result.violations)
    say(`VIOLATION ${kind} ${userId} ${seq ?? ''}: ${detail}`);
  say(`${result.injected.length} faults in ${result.seconds} s, ${result.violations.length} violations, seed ${seed}`);
};

const usual: ChaosOptions = {
  seed,
  durationMs: Number(values.minutes) * 60_000,
  everyMs: Number(values.every) * 1_000,
  folder: join(values.out, `seed-${seed}`),
  signal: stopping.signal,
};

/** Whether every promise was kept. */
const hurt = async (): Promise<boolean> => {
  say(`seed ${seed}; again: npm run chaos -- --minutes ${values.minutes} --seed ${seed} --every ${values.every}`);
  const result = await runChaos(usual);
  report(result);
  return result.violations.length === 0;
};

/** Whether what was broken was caught; with `--control` nothing is broken, and the same trial must hold. */
const tryBreak = async (name: string): Promise<boolean> => {
  if (name === 'all') return tryAll({ ...usual, folder: values.out }, say);
  if (!isBreakName(name)) throw new Error(`--break takes all, or one of ${breakNames.join(', ')}.`);
  say(`seed ${seed}; again: npm run chaos -- --break ${name} --seed ${seed}`);
  const result = await runTrial(name, !values.control, { ...usual, folder: values.out });
  report(result);
  if (values.control) return result.violations.length === 0;
  const { shows, withinSeconds } = trials[name];
  const caught = isCaught(trials[name], result);
  const must = `must show ${shows.join(' or ')} within ${withinSeconds} s`;
  say(`${name} is ${caught ? 'caught' : 'NOT caught'} in ${result.seconds} s by ${kindsOf(result)}; ${must}`);
  return caught;
};

/** Whether processing went on in time after each fault. */
const measure = async (): Promise<boolean> => {
  const { measured, violations } = await runMeasures(join(values.out, 'measure'), values.only);
  for (const one of measured) {
    const { name, inFlight, usersHit, worstMs, limitMs, from, mostRepeats } = one;
    const since = from === 'fromStartMs' ? 'after it' : 'after its return';
    const verdict = shortfallsOf(one).join(', ').toUpperCase() || 'as it must be';
    say(
      `${name}: ${inFlight} runs in flight, ${usersHit} users hit; the worst started again ${worstMs} ms ${since}, limit ${limitMs}; at most ${mostRepeats} repeats a user: ${verdict}`,
    );
  }
  for (const { kind, userId, seq, detail } of violations) say(`VIOLATION ${kind} ${userId} ${seq ?? ''}: ${detail}`);
  return violations.length === 0 && measured.length > 0 && measured.every((one) => shortfallsOf(one).length === 0);
};

const run = values.measure ? measure : values.break ? () => tryBreak(values.break as string) : hurt;
exit((await run()) ? 0 : 1);
