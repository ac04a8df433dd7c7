/**
 * Prints how many modules of OpenTelemetry a process loads that serves a call and runs a request, what the run was told of its trace, and
 * the error that ends it. With the argument `missing` it finds no such package; with `call` it only makes one call.
 */
import { registerHooks } from 'node:module';
import process, { argv, env, stdout } from 'node:process';

let loaded = 0;
registerHooks({
  resolve: (specifier, context, next) => {
    // prom-client has a use of its own for @opentelemetry/api.
    if (specifier.startsWith('@opentelemetry/') && !context.parentURL?.includes('/prom-client/')) {
      if (argv[2] === 'missing') throw Object.assign(new Error(specifier), { code: 'ERR_MODULE_NOT_FOUND' });
      loaded += 1;
    }
    return next(specifier, context);
  },
});

// Only now: what is imported above is loaded before anybody counts.
const { ConfigError } = await import('../../../lib/errors.ts');
const { openLibrary } = await import('../../library/open.ts');
const { closeFunctionDeps, functionDeps } = await import('../../../lib/compose/functions.ts');

/** As Lambda does it: the process ends after the answer, without a sign. */
const callOnce = async (): Promise<never> => {
  const { handler } = await import('../../../functions/livez.ts');
  const http = { method: 'GET', path: '/livez', sourceIp: '192.0.2.1' };
  const event = { version: '2.0', routeKey: 'GET /livez', rawPath: '/livez', headers: {}, requestContext: { http } };
  await handler(event as never, {} as never);
  stdout.write('{}');
  process.exit(0);
};

const work = async (): Promise<unknown> => {
  if (argv[2] === 'call') return callOnce();
  await functionDeps();
  await closeFunctionDeps();
  const { OTEL_EXPORTER_OTLP_ENDPOINT, STORE_TIMEOUT_MS } = env;
  await using library = await openLibrary({ env: { OTEL_EXPORTER_OTLP_ENDPOINT, STORE_TIMEOUT_MS } });
  const { lk } = library;
  await lk.consume((_request, { trace }) => trace);
  const { seq } = await lk.enqueue('ada', 1, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
  const { result } = await lk.result('ada', seq, { waitMs: 60_000 });
  return result;
};

const found = await work().then(
  (trace) => ({ trace }),
  (error: unknown) => ({ error: error instanceof ConfigError ? error.validationErrors : String(error) }),
);
stdout.write(JSON.stringify({ loaded, ...found }));
