/** Spans, as the product makes them. Only `lib/telemetry` knows OpenTelemetry, and only where traces are exported is it loaded. */

export type SpanAttributes = Record<string, string | number | boolean>;

export type SpanStart = {
  /** `server`: a call. `consumer`: a run. `internal`: what happens between the two. */
  kind: 'server' | 'internal' | 'consumer';
  /** The `traceparent` of the span that this one is a part of. Without it the span begins a new trace. */
  parent?: string;
  /** The `traceparent` of spans of other traces that led to this one. */
  links?: string[];
  attributes?: SpanAttributes;
};

export interface Span {
  /** What follows from this span continues its trace with it. */
  readonly traceparent: string;
  event(name: string, attributes?: SpanAttributes): void;
  /** `failure`: why it did not succeed, in a few words. */
  end(result?: { attributes?: SpanAttributes; failure?: string }): void;
}

export interface Tracing {
  start(name: string, start: SpanStart): Span;
  /** Awaited before a call is answered. Where the process is frozen between two calls, as in Lambda, it exports the spans of this one. Never rejects. */
  callEnded(): Promise<void>;
  /** Exports what is left, within 1.5 s. Never rejects. */
  close(): Promise<void>;
}
