import type { FunctionDeps } from '../deps.ts';
import { withTimeout } from '../timeout.ts';

/** `choice` says how the server was chosen, where MONGODB_CHOICE or RABBITMQ_CHOICE is set. */
type ServerHealth = { ok: boolean; latencyMs: number; choice?: string };

type Health = { status: 'ok' | 'degraded'; mongodb: ServerHealth; rabbitmq: ServerHealth };

/** A server that answers later than this counts as down. */
const timeoutMs = 2_000;

const probe = async (
  server: 'mongodb' | 'rabbitmq',
  { ping, clock, log }: Pick<FunctionDeps, 'ping' | 'clock' | 'log'>,
  choice: string | undefined,
): Promise<ServerHealth> => {
  const startedAt = performance.now();
  const answer = withTimeout(clock, timeoutMs, ping[server](), () => {
    throw new Error(`No answer within ${timeoutMs} ms.`);
  });
  const ok = await answer.then(
    () => true,
    (error) => {
      log.warn({ err: error, server }, 'health check failed');
      return false;
    },
  );
  return { ok, latencyMs: Math.round(performance.now() - startedAt), choice };
};

/** Pings both servers at the same time. The reason for a failure is logged and not returned: it may name hosts. */
export const checkHealth = async (deps: Pick<FunctionDeps, 'ping' | 'clock' | 'log' | 'config'>): Promise<Health> => {
  const [mongodb, rabbitmq] = await Promise.all([
    probe('mongodb', deps, deps.config.mongodbChoice),
    probe('rabbitmq', deps, deps.config.rabbitmqChoice),
  ]);
  return { status: mongodb.ok && rabbitmq.ok ? 'ok' : 'degraded', mongodb, rabbitmq };
};
