/** Decides whether traces are exported. Nothing of OpenTelemetry is loaded where they are not. */
import type { Config } from '../config.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Tracing } from '../tracing.ts';

type TracingConfig = Pick<Config, 'otlpEndpoint'>;

/** Optional peers of the package: without them it is 27 MB smaller. */
export const tracingPackages = ['api', 'exporter-trace-otlp-http', 'resources', 'sdk-trace'].map(
  (name) => `@opentelemetry/${name}`,
);

/**
 * @param service the name of the process in traces, unless OTEL_SERVICE_NAME gives another.
 * @returns `undefined` without OTEL_EXPORTER_OTLP_ENDPOINT.
 * @throws {ConfigError} when the packages are not installed.
 */
export const openTracing = async (
  { otlpEndpoint }: TracingConfig,
  service: string,
  log: Pick<Logger, 'warn'>,
): Promise<Tracing | undefined> => {
  if (otlpEndpoint === undefined) return undefined;
  try {
    const { createOpenTelemetry } = await import('./open-telemetry.ts');
    return createOpenTelemetry(otlpEndpoint, service, log);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ConfigError([
      `OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages of OpenTelemetry are not installed: npm install ${tracingPackages.join(' ')}`,
    ]);
  }
};
