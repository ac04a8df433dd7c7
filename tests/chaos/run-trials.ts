/** Runs each break in its trial, and the same trial with nothing broken as a control. */
import { join } from 'node:path';
import { type BreakName, breakNames } from './breaks.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './run.ts';
import { isCaught, trials } from './trials.ts';

/** A decision about a blocked request wakes its lane and could hide the break, so no request blocks its user. */
const noBlocking = { FAILURE_POLICY: 'skip' };

type TrialOptions = Omit<ChaosOptions, 'durationMs' | 'everyMs'>;

/** `broken: false` runs the control. */
export const runTrial = (name: BreakName, broken: boolean, options: TrialOptions): Promise<ChaosResult> => {
  const { seconds, env = {}, shows: _shows, withinSeconds: _withinSeconds, ...trial } = trials[name];
  return runChaos({
    ...options,
    ...trial,
    env: { ...noBlocking, ...env, ...(broken && { BREAK: name }) },
    habits: { crashes: 0, longRuns: 0, ...trial.habits },
    durationMs: seconds * 1_000,
    folder: join(options.folder, broken ? name : `${name}-control`),
  });
};

export const kindsOf = ({ violations }: Pick<ChaosResult, 'violations'>): string =>
  [...new Set(violations.map(({ kind }) => kind))].join(', ');

/**
 * Runs every trial and its control. Prints a line after each of them, because all of them take a quarter of an hour.
 * Resolves to whether every break was detected and every control kept the guarantees.
 */
export const tryAll = async (options: TrialOptions, print: (line: string) => void): Promise<boolean> => {
  let allAsExpected = true;
  print('break            seconds  limit   violations                                        control');
  for (const name of breakNames) {
    const broken = await runTrial(name, true, options);
    const control = await runTrial(name, false, options);
    const caught = isCaught(trials[name], broken);
    const held = control.violations.length === 0;
    allAsExpected &&= caught && held;
    const violations = `${caught ? '' : 'NOT DETECTED '}${kindsOf(broken)}`;
    const times = `${String(broken.seconds).padStart(7)}  ${String(trials[name].withinSeconds).padStart(6)}`;
    print(`${name.padEnd(15)}  ${times}  ${violations.padEnd(48)}  ${held ? 'ok' : `VIOLATED ${kindsOf(control)}`}`);
  }
  return allAsExpected;
};
