/** An operator that decides about requests that have been blocked for a while, because their users did not decide. */
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../lib/errors.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import type { LedgerEntry } from '../../lib/types.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import { openDirectDeps } from './direct-deps.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

const pollMs = 1_000;
/** How long a request is left to its user before the operator decides. */
const leftToUserMs = 3_000;
const pageSize = 500;

export type Operator = {
  /** From now on the operator decides at once: no user will. */
  usersHaveLeft(): void;
  stop(): Promise<void>;
};

export const startOperator = (stage: Stage, record: Recorder, random: Random): Operator => {
  const deps = openDirectDeps(stage);
  const stopping = new AbortController();
  let leftMs = leftToUserMs;

  const decide = async ({ userId, seq }: LedgerEntry): Promise<void> => {
    const decision = random.chance(0.5) ? 'retry' : 'skip';
    record({ kind: 'decided', userId, seq, decision, at: monotonicMs() });
    if (decision === 'skip') await skipRequest({ userId, seq }, deps);
    else await retryRequest({ userId, seq, sessionId: undefined }, deps);
  };

  const decideAll = async (): Promise<void> => {
    const before = Date.now() - leftMs;
    let page: LedgerEntry[] = [];
    do {
      const last = page.at(-1);
      const after = last?.deadLetter && { userId: last.userId, seq: last.seq, at: last.deadLetter.at };
      page = await deps.ledger.deadLetters({ after, limit: pageSize });
      for (const entry of page) {
        if (entry.status === 'blocked' && entry.deadLetter && entry.deadLetter.at.getTime() < before)
          await decide(entry);
      }
    } while (page.length === pageSize);
  };

  const operate = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await decideAll().catch((error) => {
        // A server is down, or the user has decided meanwhile. The operator tries again later.
        if (!(error instanceof AppError)) throw error;
      });
      await pause(pollMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const operating = operate();
  return {
    usersHaveLeft: () => {
      leftMs = 0;
    },
    stop: async () => {
      stopping.abort();
      await operating;
      await Promise.all([deps.publisher.close(), deps.close()]);
    },
  };
};
