import type { Logger } from '../log.ts';
import type { Clock } from '../ports.ts';

/** Lanes move by the dozen at a start. Their number is logged when none has moved for this long. */
const quietMs = 1_000;

type LaneNewsDeps = { clock: Pick<Clock, 'after'>; log: Logger; lanesOwned: () => number };

/** Call the returned function for every lane that is acquired or released: it logs the number of owned lanes once it is stable. */
export const createLaneNews = ({ clock, log, lanesOwned }: LaneNewsDeps): (() => void) => {
  let logged = 0;
  let cancel = () => {};
  const logChange = () => {
    const lanes = lanesOwned();
    if (lanes !== logged) log.info({ lanes }, 'lanes owned');
    logged = lanes;
  };
  return () => {
    cancel();
    cancel = clock.after(quietMs, logChange);
  };
};
