/** Whether the servers of the functions answer. */
import { createKept } from './kept.ts';
import type { Logger } from './log.ts';
import { watchOutages } from './outage.ts';
import type { Clock } from './ports.ts';
import { withTimeout } from './timeout.ts';

type ServerHealth = { ok: boolean; latencyMs: number };

export type Health = { status: 'ok' | 'degraded'; mongodb: ServerHealth; rabbitmq: ServerHealth };

/** Each resolves when its server answers. */
export type Pings = { mongodb(): Promise<void>; rabbitmq(): Promise<void> };

type HealthDeps = { ping: Pings; clock: Pick<Clock, 'monotonicMs' | 'after'>; log: Pick<Logger, 'warn' | 'info'> };

/** A server that answers later than this counts as down. */
const timeoutMs = 2_000;
/** Anybody may ask, and as often as they like. */
const keptMs = 1_000;

const createProbe = (server: keyof Pings, { ping, clock, log }: HealthDeps): (() => Promise<ServerHealth>) => {
  const texts = { away: 'the health check failed', back: 'the health check succeeds again' };
  const outages = watchOutages(log, texts, { server }, () => clock.monotonicMs());
  return async () => {
    const startedAt = clock.monotonicMs();
    const answer = withTimeout(clock, timeoutMs, ping[server](), () => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    const ok = await answer.then(
      () => true,
      (error) => {
        outages.failed(error);
        return false;
      },
    );
    if (ok) outages.succeeded();
    return { ok, latencyMs: Math.round(clock.monotonicMs() - startedAt) };
  };
};

/**
 * The returned function pings both servers at the same time, at most once a second: calls in between get the latest answer. The reason for
 * a failure is logged and not returned, because it may name hosts.
 */
export const createHealthCheck = (deps: HealthDeps): (() => Promise<Health>) => {
  const probes = [createProbe('mongodb', deps), createProbe('rabbitmq', deps)] as const;
  const check = async (): Promise<Health> => {
    const [mongodb, rabbitmq] = await Promise.all([probes[0](), probes[1]()]);
    return { status: mongodb.ok && rabbitmq.ok ? 'ok' : 'degraded', mongodb, rabbitmq };
  };
  const kept = createKept<Health>(keptMs);
  return () => kept(deps.clock.monotonicMs(), check);
};
