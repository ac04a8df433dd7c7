/** The trace of the requests that one call accepts. */
import { AppError } from '../errors.ts';
import { newTraceLike, traceIdOf } from '../traceparent.ts';
import type { Span, Tracing } from '../tracing.ts';

/** `linkedTo`: the trace of the failed request that this one runs again. Its own is a new one then. */
type Traced = { traceparent?: string; linkedTo?: string };

const withOwnTrace = <Request extends Traced>({ linkedTo, ...request }: Request) =>
  linkedTo === undefined ? request : { ...request, traceparent: newTraceLike(linkedTo) };

/** The requests of one call may belong to several traces. The span is a part of the first, and linked to the others. */
const startSpan = (tracing: Tracing, userId: string, requests: Traced[]): Span => {
  const parent = requests[0]?.traceparent;
  const links = new Set(requests.flatMap(({ traceparent, linkedTo }) => linkedTo ?? traceparent ?? []));
  if (parent !== undefined) links.delete(parent);
  const attributes = { 'lanekeeper.user_id': userId, 'lanekeeper.requests': requests.length };
  return tracing.start('lanekeeper accept', { kind: 'internal', parent, links: [...links], attributes });
};

const isOfTrace = ({ traceparent }: Traced, span: Span): boolean =>
  traceparent === undefined || traceIdOf(traceparent) === traceIdOf(span.traceparent);

/** Calls `accept` with the requests as they are recorded, and with the span where spans are made. */
export const acceptInSpan = async <Request extends Traced, Accepted extends { seq: number }>(
  { userId, requests }: { userId: string; requests: Request[] },
  tracing: Tracing | undefined,
  accept: (requests: Omit<Request, 'linkedTo'>[], span?: Span) => Promise<Accepted[]>,
): Promise<Accepted[]> => {
  if (!tracing) return accept(requests.map(withOwnTrace));
  const span = startSpan(tracing, userId, requests);
  const { traceparent } = span;
  try {
    const accepted = await accept(
      requests.map(({ linkedTo: _, ...request }) => (isOfTrace(request, span) ? { ...request, traceparent } : request)),
      span,
    );
    const [first, last] = [accepted[0], accepted.at(-1)];
    span.end({ attributes: first && last ? { 'lanekeeper.seq': first.seq, 'lanekeeper.last_seq': last.seq } : {} });
    return accepted;
  } catch (error) {
    span.end({ failure: error instanceof AppError ? error.code : 'internal-error' });
    throw error;
  }
};
