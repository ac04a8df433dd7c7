/** What the injectors of the faults share. */
import type { FaultKind } from '../judge/history.ts';
import type { Random } from './random.ts';

/** What is recorded of a fault. */
export type Hit = { kind: FaultKind; at: number; until?: number; target?: string };

/** Injects one kind of fault. Resolves when the fault is over: to nothing when it found no target. */
export type Injector = (planned: { lastsMs: number; random: Random }) => Promise<Hit[]>;

type Busy = { busy: boolean };

export const free = <T extends Busy>(all: T[]): T[] => all.filter(({ busy }) => !busy);

/** Picks a target. No other fault hits it until `hit` is over. */
export const exclusively = async <T extends Busy>(
  targets: T[],
  random: Random,
  hit: (target: T) => Promise<Hit[]>,
): Promise<Hit[]> => {
  if (targets.length === 0) return [];
  const target = random.pick(targets);
  target.busy = true;
  try {
    return await hit(target);
  } finally {
    target.busy = false;
  }
};
