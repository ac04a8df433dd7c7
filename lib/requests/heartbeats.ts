import type { Deps } from '../deps.ts';
import { onceFor } from '../once-for.ts';
import type { Heartbeat, WorkerStore } from '../ports.ts';

/** Workers write once a second. */
const freshMs = 500;

type Read = { atMs: number; reading: Promise<Heartbeat[]> };

const lastRead = onceFor((_workers: WorkerStore) => ({ read: undefined as Read | undefined }));

/** The newest heartbeats. A process reads them at most twice a second, however many ask. */
export const currentHeartbeats = ({ workers, clock }: Pick<Deps, 'workers' | 'clock'>): Promise<Heartbeat[]> => {
  const last = lastRead(workers);
  const now = clock.monotonicMs();
  if (last.read && now - last.read.atMs < freshMs) return last.read.reading;
  const reading = workers.all();
  last.read = { atMs: now, reading };
  reading.catch(() => {
    if (last.read?.reading === reading) last.read = undefined;
  });
  return reading;
};
