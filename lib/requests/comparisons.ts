/** Compares large requests in a worker thread: it takes as long as many calls. How many wait for it is bounded. */
import type { Comparisons } from '../deps.ts';
import { BusyError } from '../errors.ts';
import { fileBeside } from '../file-beside.ts';
import { createThreadPool } from '../thread-pool.ts';
import { isSameJson } from './same-request.ts';

/** Characters of both texts. Up to here a comparison costs no more than the call itself. */
const maxInlineLength = 16_384;

/** A comparison takes up to 0.5 s, and nobody should wait for more than about 10 s. */
const maxWaiting = 16;

/** A user needs one at a time, and a second one when its client sends a call again. */
const maxOfUser = 2;

const tooManyOfUser = `${maxOfUser} large requests of this user with a known Idempotency-Key are being compared. Send the call again.`;
const tooMany = `${maxWaiting} large requests with a known Idempotency-Key wait to be compared. Send the call again.`;

/** The thread starts when it is needed first. `close` ends it, and the comparisons under way reject. */
export const createComparisons = (): Comparisons => {
  const pool = createThreadPool(fileBeside(import.meta.url, 'compare-thread'), 1);
  /** The users of the comparisons under way, once for each. */
  const underWay: string[] = [];
  return {
    isSameJson: async (one, other, userId) => {
      if (one === other || one.length + other.length <= maxInlineLength) return isSameJson(one, other);
      if (underWay.filter((user) => user === userId).length >= maxOfUser) throw new BusyError(tooManyOfUser);
      if (underWay.length > maxWaiting) throw new BusyError(tooMany);
      underWay.push(userId);
      try {
        return await pool.run({ one, other }, { name: 'isSame' });
      } finally {
        underWay.splice(underWay.indexOf(userId), 1);
      }
    },
    close: () => pool.destroy(),
  };
};
