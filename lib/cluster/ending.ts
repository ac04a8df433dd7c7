/** How a primary ends, with its workers. */
import type { Config } from '../config.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';
import { decideOnSignal } from '../runs/supervision.ts';
import type { Lifecycle } from './lifecycle.ts';
import { exitCodes } from './messages.ts';
import type { WorkerSlot } from './worker-slot.ts';

type EndingOptions = { config: Pick<Config, 'graceMs'>; clock: Pick<Clock, 'monotonicMs' | 'after'>; log: Logger };

/** `slots` may be filled later. */
type Cluster = { slots: WorkerSlot[]; life: Lifecycle };

/** Ends the workers at SIGTERM and SIGINT: by SIGTERM while there is time, then, or at a second signal, by SIGKILL. */
export const createEnding = ({ config, clock, log }: EndingOptions, { slots, life }: Cluster) => {
  const ended = Promise.withResolvers<number>();
  let drainingSince: number | undefined;

  const end = (state: 'stopped' | 'failed') => {
    if (['stopped', 'failed'].includes(life.state)) return;
    life.become(state);
    ended.resolve(exitCodes[state]);
  };
  const killAll = () => {
    for (const slot of slots) slot.kill();
  };
  const drain = async (finalState?: 'failed') => {
    if (drainingSince !== undefined) return;
    drainingSince = clock.monotonicMs();
    life.become('draining');
    const cancelKill = clock.after(config.graceMs + exitMarginMs, () => {
      log.error({ graceMs: config.graceMs }, 'killing the workers that did not stop in time');
      killAll();
    });
    const clean = await Promise.all(slots.map((slot) => slot.drain()));
    cancelKill();
    end(finalState ?? (clean.every(Boolean) ? 'stopped' : 'failed'));
  };
  const onSignal = (signal: NodeJS.Signals) => {
    const drainingForMs = drainingSince === undefined ? undefined : clock.monotonicMs() - drainingSince;
    const verdict = decideOnSignal(drainingForMs);
    log.info({ signal, verdict }, 'signal received');
    if (verdict === 'drain') void drain();
    if (verdict !== 'end-now') return;
    killAll();
    end('failed');
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  /** `ended` resolves with the exit code of the primary. */
  return { ended: ended.promise, drain };
};

export type Ending = ReturnType<typeof createEnding>;
