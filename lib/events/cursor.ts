/**
 * Cursors as text: `<settledThrough>[.<acceptedThrough>[.<attempts><phase>]][~<spans>]`, such as `16.25.2r~19,21-23`. The requests of a
 * user run in order, so that this is all that a client can know.
 */
import type { Cursor, Known, SeqSpan } from '../ports.ts';

/** Requests that were cancelled before their turn. Of more than that a client hears when their turn comes. */
export const maxSpans = 64;

export const unstarted: Known = { attempts: 0, phase: 'q' };

/** All requests up to `seq` are settled, and nothing else is known. */
export const cursorAfter = (seq: number): Cursor => ({
  settledThrough: seq,
  acceptedThrough: seq,
  front: unstarted,
  spans: [],
});

const spanText = ({ from, to }: SeqSpan): string => (from === to ? `${from}` : `${from}-${to}`);

export const cursorText = ({ settledThrough, acceptedThrough, front, spans }: Cursor): string => {
  if (acceptedThrough <= settledThrough) return `${settledThrough}`;
  const isUnstarted = front.attempts === 0 && front.phase === 'q';
  const known = isUnstarted ? '' : `.${front.attempts}${front.phase}`;
  const ranges = spans.length === 0 ? '' : `~${spans.map(spanText).join(',')}`;
  return `${settledThrough}.${acceptedThrough}${known}${ranges}`;
};

const form = /^(\d{1,15})(?:\.(\d{1,15})(?:\.(\d{1,9})([qrfb]))?(?:~([\d,-]+))?)?$/;

/** More than the longest cursor. */
export const maxCursorChars = 2_100;

const spansOf = (text: string): SeqSpan[] =>
  text.split(',').map((span) => {
    const [from, to = from] = span.split('-').map(Number);
    return { from: from as number, to: to as number };
  });

const areOrdered = ({ settledThrough, acceptedThrough, spans }: Cursor): boolean => {
  let before = settledThrough;
  for (const { from, to } of spans) {
    if (from <= before + 1 || to < from) return false;
    before = to;
  }
  return before <= acceptedThrough && spans.length <= maxSpans;
};

/** `undefined` for a text that `cursorText` does not make. */
export const readCursor = (text: string): Cursor | undefined => {
  const [, settled, accepted = settled, attempts, phase, ranges] =
    (text.length <= maxCursorChars && form.exec(text)) || [];
  if (settled === undefined) return undefined;
  const cursor: Cursor = {
    settledThrough: Number(settled),
    acceptedThrough: Number(accepted),
    front: phase === undefined ? unstarted : { attempts: Number(attempts), phase: phase as Known['phase'] },
    spans: ranges === undefined ? [] : spansOf(ranges),
  };
  return areOrdered(cursor) && cursorText(cursor) === text ? cursor : undefined;
};

export const isInSpans = (spans: SeqSpan[], seq: number): boolean =>
  spans.some(({ from, to }) => from <= seq && seq <= to);

/** With `seq` added; `undefined` when there would be too many. */
export const spansWith = (spans: SeqSpan[], seq: number): SeqSpan[] | undefined => {
  const before = spans.filter(({ to }) => to < seq - 1);
  const behind = spans.filter(({ from }) => from > seq + 1);
  const touching = spans.slice(before.length, spans.length - behind.length);
  const from = Math.min(seq, touching.at(0)?.from ?? seq);
  const to = Math.max(seq, touching.at(-1)?.to ?? seq);
  const added = [...before, { from, to }, ...behind];
  return added.length > maxSpans ? undefined : added;
};

/** With all requests up to `seq` settled, whether they are in the ledger or not any more. */
export const cursorPast = ({ acceptedThrough, spans }: Cursor, seq: number): Cursor => {
  const behind = spans.filter(({ to }) => to > seq);
  const [first, ...others] = behind;
  const joins = first !== undefined && first.from <= seq + 1;
  const settledThrough = joins ? first.to : seq;
  return {
    settledThrough,
    acceptedThrough: Math.max(acceptedThrough, settledThrough),
    front: unstarted,
    spans: joins ? others : behind,
  };
};

/** What a client with this cursor knows of one request, as the cursor of a user whose other requests are of no interest. */
export const cursorFor = ({ settledThrough, acceptedThrough, front, spans }: Cursor, seq: number): Cursor => {
  if (seq <= settledThrough || isInSpans(spans, seq)) return cursorAfter(seq);
  const known = { settledThrough: seq - 1, acceptedThrough: Math.min(acceptedThrough, seq), spans: [] };
  return {
    ...known,
    acceptedThrough: Math.max(seq - 1, known.acceptedThrough),
    front: seq === settledThrough + 1 ? front : unstarted,
  };
};
