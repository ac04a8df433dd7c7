/** A span for each run of a worker. */
import type { LaneObserver, TraceRun } from '../ports.ts';
import { originOf, type RunTrace } from '../traceparent.ts';
import type { Span, Tracing } from '../tracing.ts';

export type RunSpans = { traceRun: TraceRun; runEnded: LaneObserver['runEnded'] };

export const createRunSpans = (tracing: Pick<Tracing, 'start'>): RunSpans => {
  const spans = new WeakMap<RunTrace, Span>();
  return {
    traceRun: ({ userId, user, seq, attempt, traceparent }) => {
      const { parent, linkedTo } = originOf(traceparent, attempt);
      const span = tracing.start('lanekeeper run', {
        kind: 'consumer',
        parent,
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
