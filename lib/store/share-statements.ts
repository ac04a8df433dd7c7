/** Group commit: calls that come while others are on their way share statements [protocol, Enqueue]. */
import { createBatcher } from '../batcher.ts';
import { AppError, StoreUnavailableError } from '../errors.ts';

/** What a shared statement has to say about one of its calls. `undefined`: the call has to ask alone. */
export type Shared<R> = { answer: R } | undefined;

type Statements<T, R> = {
  /** The statement of one call. */
  alone(item: T): Promise<R>;
  /** The statements that these calls share. They may say nothing about some of them, or fail: then those ask alone. */
  together(items: T[]): Promise<Shared<R>[]>;
};

/** A lone call is sent at once. Calls that arrive while a statement is under way share the next one; with two under way, each would carry half as many. */
const maxInFlight = 1;

/** More than that would be the work of several calls in one answer of the server, and in one turn of the event loop. */
const maxItems = 128;

/**
 * When MongoDB does not answer a statement, what waits behind it fails with it. It would wait for the same server again and again, and
 * be sent when its caller has long given up.
 *
 * @param size where items have one: the sum of `of` in one statement is at most `max`, unless it has only one item.
 */
export const shareStatements = <T, R>(
  { alone, together }: Statements<T, R>,
  size: { max?: number; of?: (item: T) => number } = {},
): ((item: T) => Promise<R>) => {
  const send = createBatcher<T, Shared<R>>(
    async (items) => {
      const [first, ...others] = items;
      if (first !== undefined && others.length === 0) return [{ answer: await alone(first) }];
      return together(items).catch(noneUnlessAway(items.length));
    },
    {
      maxItems,
      maxInFlight,
      maxSize: size.max,
      sizeOf: size.of,
      endsWaiting: (error) => error instanceof StoreUnavailableError,
    },
  );
  return async (item) => {
    const shared = await send(item);
    return shared ? shared.answer : alone(item);
  };
};

/** MongoDB refused the whole statement, perhaps because of one of the calls: each of them finds out alone. */
const noneUnlessAway =
  (count: number) =>
  (error: unknown): undefined[] => {
    if (error instanceof AppError) throw error;
    return Array.from({ length: count }, () => undefined);
  };
