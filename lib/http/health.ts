import { sleep } from '../clock.ts';
import type { FunctionDeps } from '../deps.ts';

/** `choice`: how the server was chosen, where the one who started it said so. */
type ServerHealth = { ok: boolean; latencyMs: number; choice?: string };

type Health = { status: 'ok' | 'degraded'; mongodb: ServerHealth; rabbitmq: ServerHealth };

/** A server that takes longer than this is as good as down for whoever asks. */
const deadlineMs = 2_000;

const check = async (
  server: 'mongodb' | 'rabbitmq',
  { ping, clock, log }: Pick<FunctionDeps, 'ping' | 'clock' | 'log'>,
  choice: string | undefined,
): Promise<ServerHealth> => {
  const started = performance.now();
  const over = new AbortController();
  const late = sleep(clock, deadlineMs, over.signal).then(() => {
    throw new Error(`No answer within ${deadlineMs} ms.`);
  });
  const ok = await Promise.race([ping[server](), late]).then(
    () => true,
    (error) => {
      log.warn({ err: error, server }, 'a server is not healthy');
      return false;
    },
  );
  late.catch(() => undefined);
  over.abort();
  return { ok, latencyMs: Math.round(performance.now() - started), choice };
};

/** Asks both servers at once. Why one is not healthy is for the log, not for the client. */
export const checkHealth = async (deps: Pick<FunctionDeps, 'ping' | 'clock' | 'log' | 'config'>): Promise<Health> => {
  const [mongodb, rabbitmq] = await Promise.all([
    check('mongodb', deps, deps.config.mongodbChoice),
    check('rabbitmq', deps, deps.config.rabbitmqChoice),
  ]);
  return { status: mongodb.ok && rabbitmq.ok ? 'ok' : 'degraded', mongodb, rabbitmq };
};
