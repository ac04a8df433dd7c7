import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';

/** Lanes come and go by the dozen at a start: once none has moved for so long, their number is worth a line. */
const quietMs = 1_000;

type LaneNewsDeps = { clock: Pick<Clock, 'after'>; log: Logger; lanesOwned: () => number };

/** Call the returned function whenever a lane was taken or released: it logs how many are owned when that has settled. */
export const createLaneNews = ({ clock, log, lanesOwned }: LaneNewsDeps): (() => void) => {
  let told = 0;
  let cancel = () => {};
  const tell = () => {
    const lanes = lanesOwned();
    if (lanes !== told) log.info({ lanes }, 'lanes owned');
    told = lanes;
  };
  return () => {
    cancel();
    cancel = clock.after(quietMs, tell);
  };
};
