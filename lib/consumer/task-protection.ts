/** On ECS, keeps autoscaling and deployments from stopping this task while it has a long run. */
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';
import type { Clock } from '../ports.ts';

/** A run that is shorter ends within `GRACE_MS` anyway. */
const longRunMs = 30_000;
const lookEveryMs = 5_000;
/** The protection ends by itself soon after a task that cannot end it any more. */
const expiresInMinutes = 10;
const renewAfterMs = 240_000;
const timeoutMs = 4_000;

const texts = {
  away: 'ECS did not change the protection of this task',
  back: 'ECS changes the protection of this task again',
};

type ProtectionDeps = { clock: Pick<Clock, 'monotonicMs' | 'after'>; log: Pick<Logger, 'warn' | 'info'> };

type Answer = { failure?: { Reason?: string; Detail?: string }; error?: { Code?: string; Message?: string } };

/** @throws {Error} when the agent does not answer, or ECS refuses: then `failure` or `error` says why, whatever the status. */
const setProtection = async (agentUri: string, isProtected: boolean): Promise<void> => {
  const body = { ProtectionEnabled: isProtected, ...(isProtected && { ExpiresInMinutes: expiresInMinutes }) };
  const response = await fetch(`${agentUri}/task-protection/v1/state`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const { failure, error } = (await response.json()) as Answer;
  if (response.ok && !failure && !error) return;
  const reason = failure ? `${failure.Reason}: ${failure.Detail ?? ''}` : `${error?.Code}: ${error?.Message}`;
  throw new Error(`status ${response.status}, ${reason}`);
};

/**
 * Protects the task from its first long run until it has none, and says so to ECS again before the protection expires.
 *
 * @param agentUri `ECS_AGENT_URI`, which ECS sets. Without it nothing is done.
 * @param oldestRunMs how long the oldest run of this consumer has lasted; 0 without runs.
 */
export const protectLongRuns = (
  agentUri: string | undefined,
  oldestRunMs: () => number,
  deps: ProtectionDeps,
): void => {
  if (!agentUri) return;
  const { clock, log } = deps;
  const outages = watchOutages(log, texts);
  let protectedAt: number | undefined;

  const isDue = (isLong: boolean): boolean => {
    if (!isLong) return protectedAt !== undefined;
    return protectedAt === undefined || clock.monotonicMs() - protectedAt >= renewAfterMs;
  };

  const look = async (): Promise<void> => {
    const isLong = oldestRunMs() >= longRunMs;
    if (!isDue(isLong)) return;
    await setProtection(agentUri, isLong);
    if (isLong !== (protectedAt !== undefined))
      log.info(isLong ? 'this task is protected: it has a long run' : 'this task is no longer protected');
    protectedAt = isLong ? clock.monotonicMs() : undefined;
    outages.succeeded();
  };

  const lookLater = (): void => {
    clock.after(lookEveryMs, () => void look().catch(outages.failed).finally(lookLater));
  };
  lookLater();
};
