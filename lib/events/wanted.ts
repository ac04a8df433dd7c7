/** Which entries a stream reads next. */
import type { Cursor } from '../ports.ts';
import { isInSpans } from './cursor.ts';

/** The first request that is not settled, and the next one: they often change together. */
export const liveWindow = 2;
/** Of a client that catches up. It may not read on: then the entries of one read stay in memory, with their results. */
export const pageSize = 16;

export type Wanted = {
  seqs: number[];
  /** The last one that is read from the first unsettled one on. */
  frontTo: number;
  /** The last one of those that the client has not heard of; 0: there is none. */
  newTo: number;
};

/** Of a stream of one request. */
export const wantedOf = ({ settledThrough }: Cursor, seq: number): Wanted => ({
  seqs: settledThrough < seq ? [seq] : [],
  frontTo: seq,
  newTo: 0,
});

/** @param upTo the last request that may exist. @param hinted where hints say that something has happened. */
export const wantedAfter = (
  { settledThrough, acceptedThrough, spans }: Cursor,
  upTo: number,
  window: number,
  hinted: Iterable<number>,
): Wanted => {
  const frontTo = Math.min(settledThrough + window, upTo);
  const newTo = Math.min(acceptedThrough + pageSize, upTo);
  const seqs = new Set(hinted);
  for (let seq = settledThrough + 1; seq <= frontTo; seq += 1) if (!isInSpans(spans, seq)) seqs.add(seq);
  for (let seq = acceptedThrough + 1; seq <= newTo; seq += 1) seqs.add(seq);
  return { seqs: [...seqs], frontTo, newTo: newTo > acceptedThrough ? newTo : 0 };
};

/** Whether a read that brought the client here ended before all that may exist. */
export const isMoreAfter = (
  { settledThrough, acceptedThrough }: Cursor,
  { frontTo, newTo }: Wanted,
  upTo: number,
): boolean =>
  (settledThrough >= frontTo && settledThrough < upTo) || (newTo > 0 && acceptedThrough >= newTo && newTo < upTo);
