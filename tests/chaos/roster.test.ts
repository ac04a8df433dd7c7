import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { createRoster } from './roster.ts';

const lost = (queue: string, code = 404) => ({
  msg: 'lane lost: its channel was closed',
  pid: 7,
  err: {
    code,
    message: `Channel closed by server: ${code} (NOT-FOUND) with message "NOT_FOUND - no queue '${queue}'"`,
  },
});

const listen = (now = 1_000) => {
  const recorded: HistoryEvent[] = [];
  const deletedAt = new Map([['user.ada', 900]]);
  const roster = createRoster({ name: 'c', record: (event) => void recorded.push(event), deletedAt, now: () => now });
  return { ...roster, recorded };
};

describe('the roster of a container', () => {
  test('knows who lives, and whom the primary kills', () => {
    const { hear, pids, hung, recorded } = listen();
    hear({ msg: 'worker started', workerPid: 7 });
    hear({ msg: 'worker started', workerPid: 8 });
    hear({ msg: 'killing an unresponsive worker', workerPid: 8, verdict: 'hung' });
    hear({ msg: 'worker exited', workerPid: 8 });
    expect(pids()).toEqual([7]);
    expect(hung()).toBe(1);
    expect(recorded).toEqual([{ kind: 'fault', fault: 'worker-hung', target: 'c/8', at: 1_000 }]);
  });

  test('takes a lane that is lost with a queue for a cut when somebody deleted that queue just before', () => {
    const { hear, recorded } = listen();
    hear(lost('user.ada'));
    expect(recorded).toEqual([{ kind: 'fault', fault: 'connection-cut', target: 'c/7', at: 900, until: 1_000 }]);
  });

  test('and not when nobody did, or another one, or long before, nor when it is lost for another reason', () => {
    const late = listen(900 + 10_001);
    late.hear(lost('user.ada'));
    expect(late.recorded).toEqual([]);
    const { hear, recorded } = listen();
    hear(lost('user.ben'));
    hear(lost('user.ada', 406));
    hear({ ...lost('user.ada'), msg: 'a channel was closed' });
    expect(recorded).toEqual([]);
  });
});
