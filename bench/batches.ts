/** Group commit for the bare loop, by the product's own batcher: one batch under way at a time, and no limit to its size. */
import { createBatcher } from '../lib/batcher.ts';

export const createBatches = <Item, Result>(send: (items: Item[]) => Promise<Result[]>) =>
  createBatcher(send, { maxItems: Number.POSITIVE_INFINITY, maxInFlight: 1 });
