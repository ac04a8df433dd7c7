/** The end of a run with faults, from when its users leave to the verdict. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from '../judge/history.ts';
import { judgeHistory, type Verdict } from '../judge/judge.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { readHistory } from '../system/recorder.ts';
import { awaitFinal } from './final.ts';
import type { Operator } from './operator.ts';
import { findLate } from './promptness.ts';
import type { Stage } from './stage.ts';
import type { Users } from './users.ts';

/**
 * A worker whose connection is frozen notices it after three heartbeats of two seconds. The rest is a margin for a busy machine.
 */
const excuseMs = 10_000;

/** More than the sum of `FROZEN_AFTER_MS`, the hang time and a restart. */
export const usualLateMs = 20_000;
const usualClosedMs = 60_000;

type Run = {
  stage: Stage;
  users: Users;
  operator: Operator;
  folder: string;
  historyFile: string;
  /** A request must start within this time when nothing holds it up, and within `calmLateMs` when nothing lately did. */
  lateMs: number;
  calmLateMs: number;
  /** All queues must be closed within this time. */
  closedWithinMs?: number;
};

export type Closed = { events: HistoryEvent[]; verdict: Verdict; late: ReturnType<typeof findLate>; endedAt: number };

export const closeRun = async (run: Run): Promise<Closed> => {
  const { stage, users, operator, folder, historyFile, lateMs, calmLateMs, closedWithinMs = usualClosedMs } = run;
  await users.leave();
  operator.usersHaveLeft();
  const prefix = stage.env.QUEUE_PREFIX ?? '';
  const final = await awaitFinal({ servers: stage.servers, prefix, userIds: users.ids(), limitMs: closedWithinMs });
  await operator.stop();
  const endedAt = monotonicMs();
  const events = readHistory(historyFile);
  writeFileSync(join(folder, 'final.json'), JSON.stringify(final));
  const { GRACE_MS, RETRY_MAX_MS } = stage.env;
  return {
    events,
    verdict: judgeHistory(events, final, { allowCutOff: true, excuseMs, graceMs: Number(GRACE_MS) }),
    late: findLate(events, { limitMs: lateMs, calmLimitMs: calmLateMs, retryMaxMs: Number(RETRY_MAX_MS) }),
    endedAt,
  };
};
