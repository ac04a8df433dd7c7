/** Finds connections whose client is gone, and extends the sessions of the others. */
import type { Config } from '../../config.ts';
import type { FunctionDeps } from '../../deps.ts';
import { StoreUnavailableError } from '../../errors.ts';
import { connectionMs } from '../../websocket/connect.ts';
import { closeCodes } from './frames.ts';
import { closeGently, type Entry } from './registry.ts';

const tokenExpired = { code: closeCodes.sessionEnded, reason: 'The token has expired.' };

/** Connections are pinged in so many groups, so that they are not all pinged at once. */
const groups = 20;

export type HeartbeatDeps = Pick<FunctionDeps, 'userQueues' | 'clock' | 'log'> & {
  config: Pick<Config, 'websocketPingMs'>;
};

/** A client that sends so much that it is not read any more is alive. */
const ping = (entry: Entry, pingMs: number): void => {
  const { ws, isPinged } = entry;
  if (!ws) return;
  if (isPinged && !entry.line?.isPaused()) {
    // It has not answered for a whole interval: a close would wait for an answer too.
    ws.terminate();
    return;
  }
  entry.isPinged = true;
  entry.pingAt = performance.now() + pingMs;
  ws.ping();
};

/** @returns what stops it. */
export const startHeartbeat = (entries: Map<string, Entry>, deps: HeartbeatDeps): (() => void) => {
  const { userQueues, clock, config, log } = deps;
  const pingMs = config.websocketPingMs;
  let isExtending = false;

  /** One statement for many, and one at a time: what comes meanwhile goes into the next. */
  const extend = async (due: Entry[]): Promise<void> => {
    const now = performance.now();
    const sessions = due.map(({ connection: { id, userId } }) => ({ userId, sessionId: id }));
    const left = await userQueues.extendSessions(sessions, new Date(clock.now().getTime() + connectionMs(config)));
    for (const entry of due) {
      if (!left.has(entry.connection.id)) closeGently(entry);
      entry.extendedAt = now;
      entry.isAlive = false;
    }
  };

  const extendDue = async (): Promise<void> => {
    const isDue = ({ isAlive, connection, extendedAt }: Entry): boolean =>
      isAlive && connection.login !== undefined && performance.now() - extendedAt >= pingMs / 2;
    const due = [...entries.values()].filter(isDue);
    if (isExtending || due.length === 0) return;
    isExtending = true;
    try {
      await extend(due);
    } catch (error) {
      // Tried again in a moment. The store's own log lines tell of an outage.
      if (!(error instanceof StoreUnavailableError)) log.error({ err: error }, 'sessions were not extended');
    } finally {
      isExtending = false;
    }
  };

  const beat = (): void => {
    const now = performance.now();
    const today = clock.now();
    for (const entry of entries.values()) {
      if (entry.connection.endsAt <= today) closeGently(entry, tokenExpired);
      else if (entry.pingAt <= now) ping(entry, pingMs);
    }
    void extendDue();
  };
  // It keeps no process alive that could not listen.
  const timer = setInterval(beat, pingMs / groups).unref();
  return () => clearInterval(timer);
};
