/** Names the operations that MongoDB answers late, not in time or with a refusal: the line about an outage does not say which. */
import { StoreUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import { isUnreachable } from './unavailable.ts';

/** An answer is late after this share of the time that MongoDB has. */
const lateShare = 0.5;

type Options = { log: Pick<Logger, 'warn'>; storeTimeoutMs: number };

type Call = (...args: unknown[]) => unknown;

/** Whether the caller's error is about this operation, and not about a server that cannot be reached by any. */
const isOwnFailure = (error: unknown): boolean => error instanceof StoreUnavailableError && !isUnreachable(error);

/** @param name of the store, for the log. Calls that return no promise are not watched. */
export const nameLateOperations = <Store extends object>(
  name: string,
  store: Store,
  { log, storeTimeoutMs }: Options,
): Store => {
  const watch = (operation: string, call: Call): Call => {
    return (...args) => {
      const since = performance.now();
      const answer = call(...args);
      if (!(answer instanceof Promise)) return answer;
      const about = () => {
        const items = Array.isArray(args[0]) ? args[0].length : undefined;
        return { operation, items, ms: Math.round(performance.now() - since) };
      };
      answer.then(
        () => {
          if (performance.now() - since < storeTimeoutMs * lateShare) return;
          logSampled(log, 'warn', about(), `MongoDB answered late: ${operation}`);
        },
        (error) => {
          // One text for all: in an outage every operation fails.
          if (isOwnFailure(error))
            logSampled(log, 'warn', about(), 'MongoDB did not do an operation in time, or refused it');
        },
      );
      return answer;
    };
  };
  const watched = Object.entries(store).map(([method, call]) => [method, watch(`${name}.${method}`, call as Call)]);
  return Object.fromEntries(watched) as Store;
};
