import type { Clock } from '../ports.ts';

/** Now, on both clocks: `ms` is monotonic, for durations, and `date` is for comparing with stored times. */
export type Moment = { readonly ms: number; readonly date: Date };

export const momentOf = (clock: Pick<Clock, 'now' | 'monotonicMs'>): Moment => ({
  ms: clock.monotonicMs(),
  date: clock.now(),
});
