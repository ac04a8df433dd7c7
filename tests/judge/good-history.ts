/** Histories that keep every promise, made up by fast-check: what the judge's tests start from. */
import fc from 'fast-check';
import type { FinalEntry, FinalState, HistoryEvent } from './history.ts';

export type GoodHistory = { events: HistoryEvent[]; final: FinalState };

/** How one request fares. `crash`: its worker is killed in its first run. */
type Fate = 'done' | 'failed' | 'retried' | 'crash' | 'cut-off' | 'cancelled' | 'abandoned' | 'unseen';

const fate = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fate>('done') },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Fate>('failed', 'retried', 'crash', 'cut-off', 'cancelled', 'abandoned', 'unseen'),
  },
);

const script = fc.record({
  fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
  pause: fc.integer({ min: 1, max: 9 }),
});

type Teller = { now(): number; worker(): string; token(): number; takeOver(): void; events: HistoryEvent[] };

const createTeller = (userId: string, offset: number, pause: number): Teller => {
  let at = offset;
  let token = 1;
  return {
    events: [],
    now: () => {
      at += pause;
      return at;
    },
    worker: () => `${userId}-worker/${token}`,
    token: () => token,
    takeOver: () => {
      token += 1;
    },
  };
};

const tellRun = (
  { now, worker, token, takeOver, events }: Teller,
  id: { userId: string; seq: number },
  attempt: number,
  end: 'done' | 'failed' | 'retry' | 'crash' | 'cut-off',
): void => {
  const run = { ...id, attempt, fencingToken: token(), worker: worker() };
  events.push({ kind: 'started', ...run, at: now() });
  if (end === 'crash') events.push({ kind: 'fault', fault: 'worker-killed', target: worker(), at: now() });
  if (end === 'cut-off') {
    const at = now();
    events.push({ kind: 'fault', fault: 'worker-frozen', target: worker(), at, until: now() });
    events.push({ kind: 'ended', ...run, outcome: 'aborted', at: now() });
  }
  if (end === 'crash' || end === 'cut-off') takeOver();
  else if (end === 'retry') events.push({ kind: 'ended', ...run, outcome: 'retry', at: now() });
  else {
    const result = end === 'done' ? String(attempt) : undefined;
    events.push({ kind: 'ended', ...run, outcome: end, result, at: now() });
    const { worker: name, fencingToken } = run;
    events.push({ kind: 'settled', ...id, status: end, worker: name, fencingToken, at: now() });
  }
};

const tellRequest = (teller: Teller, id: { userId: string; seq: number }, fate: Fate): FinalEntry => {
  const key = id.seq % 2 === 0 ? `key-${id.seq}` : undefined;
  const { events, now } = teller;
  if (fate === 'abandoned') return { ...id, status: 'abandoned', attempts: 0 };
  if (fate !== 'unseen') events.push({ kind: 'accepted', ...id, key, at: now() });
  if (fate === 'cancelled') {
    events.push({ kind: 'cancelled', ...id, at: now() });
    return { ...id, key, status: 'cancelled', attempts: 0 };
  }
  const before = fate === 'retried' ? 'retry' : fate;
  const repeats = before === 'retry' || before === 'crash' || before === 'cut-off';
  if (repeats) tellRun(teller, id, 1, before);
  const status = fate === 'failed' ? 'failed' : 'done';
  const attempts = repeats ? 2 : 1;
  tellRun(teller, id, attempts, status);
  return {
    ...id,
    key,
    status,
    attempts,
    ...(status === 'done' ? { result: String(attempts) } : { deadLetter: { reason: 'failed' as const } }),
  };
};

export const goodHistory: fc.Arbitrary<GoodHistory> = fc.array(script, { minLength: 1, maxLength: 4 }).map((users) => {
  const events: HistoryEvent[] = [];
  const final: FinalState = { ledger: [], userQueues: [], leftOverQueues: [] };
  users.forEach(({ fates, pause }, index) => {
    const userId = `user-${index}`;
    const teller = createTeller(userId, index, pause);
    fates.forEach((fate, before) => {
      final.ledger.push(tellRequest(teller, { userId, seq: before + 1 }, fate));
    });
    final.userQueues.push({ userId, state: 'closed', accepted: fates.length, settled: fates.length });
    events.push(...teller.events, { kind: 'refused', userId, at: teller.now(), code: 'too-many-pending' });
  });
  return { events, final };
});
