/** A span for each run of a worker. */
import type { LaneObserver, TraceRun } from '../ports.ts';
import type { RunTrace } from '../traceparent.ts';
import type { Span, Tracing } from '../tracing.ts';

export type RunSpans = { traceRun: TraceRun; runEnded: LaneObserver['runEnded'] };

/** The first run is a part of its request's trace; every other run begins a trace that is linked to it. */
export const createRunSpans = (tracing: Pick<Tracing, 'start'>): RunSpans => {
  const spans = new WeakMap<RunTrace, Span>();
  return {
    traceRun: ({ userId, user, seq, attempt, traceparent }) => {
      const linkedTo = attempt === 1 ? undefined : traceparent;
      const span = tracing.start('lanekeeper run', {
        kind: 'consumer',
        parent: attempt === 1 ? traceparent : undefined,
        links: linkedTo === undefined ? [] : [linkedTo],
        attributes: {
          'lanekeeper.user_id': userId,
          'lanekeeper.user': user,
          'lanekeeper.seq': seq,
          'lanekeeper.attempt': attempt,
        },
      });
      const runTrace = { traceparent: span.traceparent, ...(linkedTo !== undefined && { linkedTo }) };
      spans.set(runTrace, span);
      return runTrace;
    },
    runEnded: ({ trace, fencingToken, outcome, error }) => {
      const span = trace && spans.get(trace);
      const attributes = { 'lanekeeper.outcome': outcome, 'lanekeeper.fencing_token': fencingToken };
      if (outcome === 'done') span?.end({ attributes });
      else span?.end({ attributes: { ...attributes, ...(error && { 'error.type': error }) }, failure: outcome });
    },
  };
};
