/** Each broken step under its trial, and the same trial with nothing broken, which must hold. */
import { join } from 'node:path';
import { type BreakName, breakNames } from './breaks.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './run.ts';
import { isCaught, trials } from './trials.ts';

/** Nobody is held up but by what is broken: whoever decides about a blocked request wakes its lane. */
const plain = { FAILURE_POLICY: 'skip' };

export type Usual = Omit<ChaosOptions, 'durationMs' | 'everyMs'>;

/** `broken` false: the control. */
export const runTrial = (name: BreakName, broken: boolean, usual: Usual): Promise<ChaosResult> => {
  const { seconds, env = {}, shows: _shows, withinSeconds: _withinSeconds, ...trial } = trials[name];
  return runChaos({
    ...usual,
    ...trial,
    env: { ...plain, ...env, ...(broken && { BREAK: name }) },
    habits: { crashes: 0, ...trial.habits },
    durationMs: seconds * 1_000,
    folder: join(usual.folder, broken ? name : `${name}-control`),
  });
};

export const kindsOf = ({ violations }: Pick<ChaosResult, 'violations'>): string =>
  [...new Set(violations.map(({ kind }) => kind))].join(', ');

/** Tells a line at once when a trial is over: all take a quarter of an hour. Resolves to whether each was caught, and each control held. */
export const tryAll = async (usual: Usual, say: (line: string) => void): Promise<boolean> => {
  let right = true;
  say('broken           seconds  within  caught by                                         control');
  for (const name of breakNames) {
    const broken = await runTrial(name, true, usual);
    const control = await runTrial(name, false, usual);
    const caught = isCaught(trials[name], broken);
    const held = control.violations.length === 0;
    right &&= caught && held;
    const by = `${caught ? '' : 'NOT CAUGHT '}${kindsOf(broken)}`;
    const times = `${String(broken.seconds).padStart(7)}  ${String(trials[name].withinSeconds).padStart(6)}`;
    say(`${name.padEnd(15)}  ${times}  ${by.padEnd(48)}  ${held ? 'holds' : `BROKEN ${kindsOf(control)}`}`);
  }
  return right;
};
