import type { Deps } from '../deps.ts';
import { createKept } from '../kept.ts';
import { onceFor } from '../once-for.ts';
import type { Heartbeat, WorkerStore } from '../ports.ts';

/** Workers write once a second. */
const freshMs = 500;

const keptOf = onceFor((_workers: WorkerStore) => createKept<Heartbeat[]>(freshMs));

/** The newest heartbeats. A process reads them at most twice a second, however many ask. */
export const currentHeartbeats = ({ workers, clock }: Pick<Deps, 'workers' | 'clock'>): Promise<Heartbeat[]> =>
  keptOf(workers)(clock.monotonicMs(), () => workers.all());
