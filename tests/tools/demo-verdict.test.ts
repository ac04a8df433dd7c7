import { describe, expect, test } from '@jest/globals';
import type { ShownEntry } from '../../tools/api-client.ts';
import { describeVerdict, judge, type UserHistory } from '../../tools/demo/verdict.ts';

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

/** The violations found after `harm` was done to a good history. */
const violationsAfter = (harm: (ada: UserHistory, ben: UserHistory) => void): string[] => {
  const [ada, ben] = goodHistory();
  harm(ada, ben);
  const verdict = judge([ada, ben]);
  const violations = verdict.checks.flatMap((check) => check.violations);
  expect(verdict.kept).toBe(violations.length === 0);
  return violations;
};

describe('the verdict of the demo', () => {
  test('finds nothing in a good history, and says how many ran at once', () => {
    expect(violationsAfter(() => undefined)).toEqual([]);
    expect(judge(goodHistory()).mostUsersAtOnce).toBe(2);
  });

  test('does not depend on the order in which the ledger was read', () => {
    expect(violationsAfter((ada) => ada.entries.reverse())).toEqual([]);
  });

  test('accepts the abandoned ticket of a call that failed', () => {
    const abandon = (ada: UserHistory) => {
      ada.sent.splice(2, 1);
      ada.entries[2] = { seq: 3, status: 'abandoned', settledAt: at(9) };
    };
    expect(violationsAfter(abandon)).toEqual([]);
  });

  test.each(['failed', 'queued', 'processing', 'cancelled', 'abandoned'])(
    'catches an accepted request that is %s',
    (status) => {
      const violations = violationsAfter((ada) => {
        entryOf(ada, 2).status = status;
      });
      expect(violations).toContain(`ada: request 2 was accepted and is ${status}`);
    },
  );

  test('catches an accepted request that is not in the ledger, at the end too', () => {
    const violations = violationsAfter((ada) => ada.entries.pop());
    expect(violations).toEqual(['ada: request 5 was accepted and is not in the ledger']);
  });

  test('catches a gap in the seqs', () => {
    const violations = violationsAfter((_ada, ben) => {
      ben.sent.splice(2, 1);
      ben.entries.splice(2, 1);
    });
    expect(violations).toEqual(['ben: the ledger has 4 where 3 should be']);
  });

  test('catches a seq that is there twice', () => {
    const violations = violationsAfter((ada) => ada.entries.push({ ...entryOf(ada, 5) }));
    expect(violations).toContain('ada: the ledger has 5 where 6 should be');
  });

  test('catches two requests that were given the same seq', () => {
    const violations = violationsAfter((ada) => {
      ada.sent.push({ seq: 5, request: { text: 'ada 5' } });
    });
    expect(violations).toEqual(['ada: 6 requests were accepted with 5 seqs']);
  });

  test('catches a request that nobody sent', () => {
    const violations = violationsAfter((ada) => ada.sent.pop());
    expect(violations).toEqual(['ada: request 5 is in the ledger, but nobody sent it']);
  });

  test('catches a result that belongs to another request', () => {
    const violations = violationsAfter((ada) => {
      entryOf(ada, 2).result = { text: 'ada 3' };
    });
    expect(violations).toEqual(['ada: request 2 was {"text":"ada 2"}, its result is {"text":"ada 3"}']);
  });

  test('catches a run that starts before its predecessor is settled', () => {
    const violations = violationsAfter((ada) => {
      entryOf(ada, 3).startedAt = at(7);
    });
    expect(violations).toEqual(['ada: request 3 started 1 ms before 2 was settled']);
  });

  test('catches two requests that ran in the wrong order', () => {
    const violations = violationsAfter((ada) => {
      const [second, third] = [entryOf(ada, 2), entryOf(ada, 3)];
      [second.startedAt, third.startedAt] = [third.startedAt, second.startedAt];
      [second.settledAt, third.settledAt] = [third.settledAt, second.settledAt];
    });
    expect(violations).toContain('ada: request 3 started 8 ms before 2 was settled');
  });

  test('catches a run that ends before it starts, and one without readable times', () => {
    const backwards = violationsAfter((ada) => {
      entryOf(ada, 5).settledAt = at(15);
    });
    expect(backwards).toEqual(['ada: request 5 was not settled after its start']);
    const untimed = violationsAfter((ada) => {
      entryOf(ada, 5).startedAt = undefined;
    });
    expect(untimed).toEqual(['ada: request 5 was not settled after its start']);
    const unreadable = violationsAfter((ada) => {
      entryOf(ada, 5).settledAt = 'soon';
    });
    expect(unreadable).toEqual(['ada: request 5 was not settled after its start']);
  });

  test('catches users that ran one after another', () => {
    const users = [goodUser('ada', 5, 0), goodUser('ben', 5, 20)];
    const verdict = judge(users);
    expect(verdict.mostUsersAtOnce).toBe(1);
    expect(verdict.checks.flatMap((check) => check.violations)).toEqual([
      'ada: always ran alone',
      'ben: always ran alone',
    ]);
  });

  test('catches the one user of three that always ran alone', () => {
    const verdict = judge([...goodHistory(), goodUser('eve', 5, 500)]);
    expect(verdict.checks.flatMap((check) => check.violations)).toEqual(['eve: always ran alone']);
  });

  test('catches a queue that did not end', () => {
    const violations = violationsAfter((_ada, ben) => {
      ben.queue = 'draining';
    });
    expect(violations).toEqual(['ben: the queue is draining']);
  });

  test('fails when nothing was accepted, and with a single user', () => {
    const nobody = ['ada', 'ben'].map((username) => goodUser(username, 0, 0));
    expect(judge(nobody).kept).toBe(false);
    expect(judge([]).kept).toBe(false);
    expect(judge([goodUser('ada', 5, 0)]).kept).toBe(false);
  });

  test('does not judge requests of another processor that are blocked, in a back-off, or behind such a request', () => {
    const users = goodHistory();
    for (const entry of users.flatMap(({ entries }) => entries)) entry.result = { charged: entry.seq };
    const open = { settledAt: undefined, result: undefined };
    const holds: Partial<ShownEntry>[] = [{ status: 'blocked' }, { status: 'processing', retryAt: at(60_000) }];
    for (const [n, user] of users.entries()) {
      Object.assign(entryOf(user, 4), open, holds[n]);
      Object.assign(entryOf(user, 5), open, { status: 'queued', startedAt: undefined });
      user.queue = 'draining';
    }
    const verdict = judge(users);
    expect(verdict).toMatchObject({ isEcho: false, kept: true });
    expect(describeVerdict(users, verdict, 1)).toContain('Not judged: 4 requests that are blocked');

    entryOf(users[0], 3).status = 'queued';
    const violations = judge(users).checks.flatMap((check) => check.violations);
    expect(violations).toContain('ada: request 3 was accepted and is queued');
  });

  test('does not judge what another processor than echo makes of the requests, but its order, and that nothing is lost', () => {
    const users = goodHistory();
    for (const [n, entry] of users.flatMap(({ entries }) => entries).entries()) {
      entry.result = { charged: n };
      if (n % 3 === 0) Object.assign(entry, { status: 'failed', result: undefined });
    }
    const verdict = judge(users);
    expect(verdict).toMatchObject({ isEcho: false, kept: true });
    const text = describeVerdict(users, verdict, 1);
    expect(text).toContain(
      'The processor is not echo: what it makes of the requests is not judged. Done: 6, failed: 4.',
    );
    expect(text).toContain('✔ each user: in the order of seq, one at a time');
    expect(text).not.toContain('every result');

    entryOf(users[0], 3).startedAt = at(7);
    users[1].entries.pop();
    const violations = judge(users).checks.flatMap((check) => check.violations);
    expect(violations).toEqual([
      'ben: request 5 was accepted and is not in the ledger',
      'ada: request 3 started 1 ms before 2 was settled',
    ]);
  });
});
