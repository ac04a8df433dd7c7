import { expect, test } from '@jest/globals';
import { monotonicMs } from '../system/monotonic.ts';
import { hungWorkers } from './hung-workers.ts';

const startOf = (worker: string, at: number) => ({
  ...({ kind: 'started', userId: 'ada', seq: 1, attempt: 1, fencingToken: 1 } as const),
  ...{ worker, at },
});

test('a worker that its consumer killed is the one with its pid in the latest start of the container', () => {
  const killedAt = Date.now() - 60_000;
  const at = killedAt - Date.now() + monotonicMs();
  const starts = [startOf('a-1/30', at - 20_000), startOf('a-2/30', at - 10_000), startOf('a-3/30', at + 10_000)];
  const line = { time: new Date(killedAt), msg: 'killing an unresponsive worker', workerPid: 30, verdict: 'hung' };
  const log = ['not JSON', JSON.stringify({ msg: 'worker exited' }), JSON.stringify(line)].join('\n');
  const found = hungWorkers(log, 'a', starts);
  expect(found).toEqual([{ kind: 'fault', fault: 'worker-hung', at: expect.closeTo(at, -2), target: 'a-2/30' }]);
  expect(hungWorkers(log, 'b', starts)).toEqual([]);
});
