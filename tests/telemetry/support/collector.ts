/** A real HTTP server that takes traces as an OpenTelemetry collector does: OTLP/JSON at `/v1/traces`. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type HttpServer, startHttpServer } from '../../support/http-server.ts';

const attributes = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]])));

const span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes,
  events: z.array(z.object({ name: z.string(), attributes })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })),
  status: z.object({ code: z.int().optional(), message: z.string().optional() }),
});

const exported = z.object({
  resourceSpans: z.array(
    z.object({ resource: z.object({ attributes }), scopeSpans: z.array(z.object({ spans: z.array(span) })) }),
  ),
});

export type CollectedSpan = z.output<typeof span> & { service: unknown };

export type Collector = HttpServer & { spans: CollectedSpan[] };

const spansIn = (body: string): CollectedSpan[] =>
  exported
    .parse(JSON.parse(body))
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((one) => ({ ...one, service: resource.attributes['service.name'] }))),
    );

export const openCollector = async (): Promise<Collector> => {
  const spans: CollectedSpan[] = [];
  const take = async (request: IncomingMessage): Promise<number> => {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return 404;
    spans.push(...spansIn(await text(request)));
    return 200;
  };
  const server = await startHttpServer(async (request, response) => {
    const status = await take(request).catch(() => 400);
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  return { ...server, spans };
};
