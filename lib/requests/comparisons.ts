/** Compares large requests in a worker thread: it takes as long as many calls. How many wait for it is bounded. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Comparisons } from '../deps.ts';
import { BusyError } from '../errors.ts';
import { isSameJson } from './same-request.ts';

/** Characters of both texts. Up to here a comparison costs no more than the call itself. */
const maxInlineLength = 16_384;

/** A comparison takes up to 0.5 s, and nobody should wait for more than about 10 s. */
const maxWaiting = 16;

const idleMs = 60_000;

const tooMany = `${maxWaiting} large requests with a known Idempotency-Key wait to be compared. Send the call again.`;

/** The thread starts when it is needed first. `close` ends it, and the comparisons under way reject. */
export const createComparisons = (): Comparisons => {
  const pool = new Piscina({
    filename: fileURLToPath(new URL('compare-thread.ts', import.meta.url)),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleMs,
    // A thread needs no secret of this process, and none of the modules that the process was told to load.
    env: {},
    execArgv: [],
  });
  let underWay = 0;
  return {
    isSameJson: async (one, other) => {
      if (one === other || one.length + other.length <= maxInlineLength) return isSameJson(one, other);
      if (underWay > maxWaiting) throw new BusyError(tooMany);
      underWay += 1;
      try {
        return await pool.run({ one, other }, { name: 'isSame' });
      } finally {
        underWay -= 1;
      }
    },
    close: () => pool.destroy(),
  };
};
