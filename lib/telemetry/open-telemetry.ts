/** Spans by OpenTelemetry, exported as OTLP over HTTP. Loaded only when traces are exported. */
import { env } from 'node:process';
import {
  type Attributes,
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { systemClock } from '../clock.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import { withTimeout } from '../timeout.ts';
import { newTraceLike } from '../traceparent.ts';
import type { Span, Tracing } from '../tracing.ts';

const kinds = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL, consumer: SpanKind.CONSUMER };

/** A collector that is away must not hold a process up. */
const exportTimeoutMs = 5_000;

const contextOf = (traceparent: string): SpanContext => {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
};

const isSampled = (traceparent: string): boolean => (contextOf(traceparent).traceFlags & TraceFlags.SAMPLED) !== 0;

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** AWS Lambda freezes a process between two calls, and may end it without another one. */
const isFrozenBetweenCalls = (): boolean => env.AWS_LAMBDA_FUNCTION_NAME !== undefined;

/** How long an answer may wait for a collector, which is an extension of the function as a rule. */
const flushTimeoutMs = 500;

/** A worker is killed `exitMarginMs` after its grace. */
const closeTimeoutMs = exitMarginMs / 2;

/** Its caller has decided that its trace is not recorded. */
const unrecorded = (traceparent: string): Span => ({ traceparent, event: () => undefined, end: () => undefined });

const spanOf = (span: OtelSpan): Span => ({
  traceparent: traceparentOf(span.spanContext()),
  event: (name, attributes) => void span.addEvent(name, attributes as Attributes),
  end: ({ attributes = {}, failure } = {}) => {
    span.setAttributes(attributes);
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end();
  },
});

const noteFailures = (exporter: SpanExporter, log: Pick<Logger, 'warn'>): SpanExporter => ({
  export: (spans, done) =>
    exporter.export(spans, (result) => {
      if (result.error) logSampled(log, 'warn', { err: result.error }, 'spans could not be exported');
      done(result);
    }),
  shutdown: () => exporter.shutdown(),
});

/** The exporter says what went wrong. */
const inTime = (ms: number, work: Promise<void>): Promise<void> =>
  withTimeout(systemClock, ms, work, () => undefined).catch(() => undefined);

/** @param endpoint the base URL of the collector, as OTEL_EXPORTER_OTLP_ENDPOINT has it. */
export const createOpenTelemetry = (endpoint: string, service: string, log: Pick<Logger, 'warn'>): Tracing => {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: noteFailures(exporter, log), exportTimeoutMillis: exportTimeoutMs }),
    ],
  });
  const tracer = provider.getTracer('lanekeeper');
  return {
    start: (name, { kind, parent, links = [], attributes }) => {
      const first = parent ?? links[0];
      if (first !== undefined && !isSampled(first)) return unrecorded(parent ?? newTraceLike(first));
      const within: Context = parent ? trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT;
      const linked = links.map((link) => ({ context: contextOf(link) }));
      return spanOf(tracer.startSpan(name, { kind: kinds[kind], links: linked, attributes }, within));
    },
    callEnded: async () => {
      if (!isFrozenBetweenCalls()) return;
      await inTime(flushTimeoutMs, provider.forceFlush());
    },
    close: async () => {
      await inTime(closeTimeoutMs, provider.shutdown());
    },
  };
};
