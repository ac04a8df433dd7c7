import { describe, expect, test } from '@jest/globals';
import { judge, type ShownEntry, type UserHistory } from '../../tools/demo/verdict.ts';

const at = (ms: number): string => new Date(1_700_000_000_000 + ms).toISOString();

/** Runs of 4 ms, one after the other without a pause, from `from` on. */
const goodUser = (username: string, requests: number, from: number): UserHistory => {
  const seqs = Array.from({ length: requests }, (_, index) => index + 1);
  return {
    username,
    sent: seqs.map((seq) => ({ seq, request: { text: `${username} ${seq}` } })),
    entries: seqs.map((seq) => ({
      seq,
      status: 'done',
      attempts: 1,
      result: { text: `${username} ${seq}` },
      startedAt: at(from + (seq - 1) * 4),
      settledAt: at(from + seq * 4),
    })),
    queue: 'closed',
  };
};

const goodHistory = (): [UserHistory, UserHistory] => [goodUser('ada', 5, 0), goodUser('ben', 5, 2)];

const entryOf = (user: UserHistory, seq: number): ShownEntry => {
  const entry = user.entries.find((candidate) => candidate.seq === seq);
  if (!entry) throw new Error(`no entry ${seq}`);
  return entry;
};

/** What is wrong after `harm` was done to a good history. */
const faultsAfter = (harm: (ada: UserHistory, ben: UserHistory) => void): string[] => {
  const [ada, ben] = goodHistory();
  harm(ada, ben);
  const verdict = judge([ada, ben]);
  const faults = verdict.checks.flatMap((check) => check.faults);
  expect(verdict.kept).toBe(faults.length === 0);
  return faults;
};

describe('the verdict of the demo', () => {
  test('finds nothing in a good history, and says how many ran at once', () => {
    expect(faultsAfter(() => undefined)).toEqual([]);
    expect(judge(goodHistory()).mostUsersAtOnce).toBe(2);
  });

  test('does not mind in which order the ledger was read', () => {
    expect(faultsAfter((ada) => ada.entries.reverse())).toEqual([]);
  });

  test('does not mind the abandoned ticket of a call that died', () => {
    const abandon = (ada: UserHistory) => {
      ada.sent.splice(2, 1);
      ada.entries[2] = { seq: 3, status: 'abandoned', settledAt: at(9) };
    };
    expect(faultsAfter(abandon)).toEqual([]);
  });

  test.each(['failed', 'queued', 'processing', 'cancelled', 'abandoned'])(
    'catches an accepted request that is %s',
    (status) => {
      const faults = faultsAfter((ada) => {
        entryOf(ada, 2).status = status;
      });
      expect(faults).toContain(`ada: request 2 was accepted and is ${status}`);
    },
  );

  test('catches an accepted request that is not in the ledger, at the end too', () => {
    const faults = faultsAfter((ada) => ada.entries.pop());
    expect(faults).toEqual(['ada: request 5 was accepted and is not in the ledger']);
  });

  test('catches a gap in the seqs', () => {
    const faults = faultsAfter((_ada, ben) => {
      ben.sent.splice(2, 1);
      ben.entries.splice(2, 1);
    });
    expect(faults).toEqual(['ben: the ledger has 4 where 3 should be']);
  });

  test('catches a seq that is there twice', () => {
    const faults = faultsAfter((ada) => ada.entries.push({ ...entryOf(ada, 5) }));
    expect(faults).toContain('ada: the ledger has 5 where 6 should be');
  });

  test('catches two requests that were given the same seq', () => {
    const faults = faultsAfter((ada) => {
      ada.sent.push({ seq: 5, request: { text: 'ada 5' } });
    });
    expect(faults).toEqual(['ada: 6 requests were accepted with 5 seqs']);
  });

  test('catches a request that nobody sent', () => {
    const faults = faultsAfter((ada) => ada.sent.pop());
    expect(faults).toEqual(['ada: request 5 is in the ledger, and nobody sent it']);
  });

  test('catches a result that belongs to another request', () => {
    const faults = faultsAfter((ada) => {
      entryOf(ada, 2).result = { text: 'ada 3' };
    });
    expect(faults).toEqual(['ada: request 2 was {"text":"ada 2"}, its result {"text":"ada 3"}']);
  });

  test('catches a run that starts before its predecessor is settled', () => {
    const faults = faultsAfter((ada) => {
      entryOf(ada, 3).startedAt = at(7);
    });
    expect(faults).toEqual(['ada: request 3 started 1 ms before 2 was settled']);
  });

  test('catches two requests that ran in the wrong order', () => {
    const faults = faultsAfter((ada) => {
      const [second, third] = [entryOf(ada, 2), entryOf(ada, 3)];
      [second.startedAt, third.startedAt] = [third.startedAt, second.startedAt];
      [second.settledAt, third.settledAt] = [third.settledAt, second.settledAt];
    });
    expect(faults).toContain('ada: request 3 started 8 ms before 2 was settled');
  });

  test('catches a run that ends before it starts, or has no times, or none that can be read', () => {
    const backwards = faultsAfter((ada) => {
      entryOf(ada, 5).settledAt = at(15);
    });
    expect(backwards).toEqual(['ada: request 5 was settled before it started']);
    const untimed = faultsAfter((ada) => {
      entryOf(ada, 5).startedAt = undefined;
    });
    expect(untimed).toEqual(['ada: request 5 is done without the times of its run']);
    const unreadable = faultsAfter((ada) => {
      entryOf(ada, 5).settledAt = 'soon';
    });
    expect(unreadable).toEqual(['ada: request 5 was settled before it started']);
  });

  test('catches users that ran one after the other', () => {
    const users = [goodUser('ada', 5, 0), goodUser('ben', 5, 20)];
    const verdict = judge(users);
    expect(verdict.mostUsersAtOnce).toBe(1);
    expect(verdict.checks.flatMap((check) => check.faults)).toEqual(['ada always ran alone', 'ben always ran alone']);
  });

  test('catches the one user of three that always ran alone', () => {
    const verdict = judge([...goodHistory(), goodUser('eve', 5, 500)]);
    expect(verdict.checks.flatMap((check) => check.faults)).toEqual(['eve always ran alone']);
  });

  test('catches a queue that did not end', () => {
    const faults = faultsAfter((_ada, ben) => {
      ben.queue = 'draining';
    });
    expect(faults).toEqual(['ben: the queue is draining']);
  });

  test('is not content when nothing was accepted, or only one user came', () => {
    const nobody = ['ada', 'ben'].map((username) => goodUser(username, 0, 0));
    expect(judge(nobody).kept).toBe(false);
    expect(judge([]).kept).toBe(false);
    expect(judge([goodUser('ada', 5, 0)]).kept).toBe(false);
  });
});
