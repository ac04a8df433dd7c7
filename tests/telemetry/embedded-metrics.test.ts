/** CloudWatch makes metrics from these lines: they are held to its specification. */
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Backlog } from '../../lib/consumer/backlog.ts';
import { logBacklog } from '../../lib/consumer/log-backlog.ts';
import { writeCallLine } from '../../lib/http/call-line.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { readableLog } from '../support/log-lines.ts';

/** The schema of the specification, as far as it binds what is written: names, units, and references to fields of the line. */
const specified = z
  .looseObject({
    _aws: z.strictObject({
      Timestamp: z.int().min(1_600_000_000_000),
      CloudWatchMetrics: z
        .array(
          z.strictObject({
            Namespace: z.string().min(1).max(255),
            Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
            Metrics: z
              .array(z.strictObject({ Name: z.string().min(1).max(1_024), Unit: z.enum(['Count', 'Milliseconds']) }))
              .max(100),
          }),
        )
        .min(1),
    }),
  })
  .superRefine((line, context) => {
    for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
      for (const name of Dimensions.flat())
        if (typeof line[name] !== 'string') context.addIssue(`the dimension ${name} is no text of the line`);
      for (const { Name } of Metrics)
        if (typeof line[Name] !== 'number') context.addIssue(`the metric ${Name} is no number of the line`);
    }
  });

const written = (call: Partial<Parameters<typeof writeCallLine>[1]>, namespace?: string, level = 'info') => {
  const { log, lines } = readableLog(level);
  const whole = { method: 'GET', path: '/queue', status: 200, startedAt: performance.now() - 12, route: 'GET /queue' };
  writeCallLine(log, { ...whole, ...call }, namespace);
  return lines;
};

describe('the backlog of a consumer', () => {
  const backlog = { pending: 7, oldestWaitMs: 1_500, workersWanted: 2 };

  const logging = (known: () => Backlog | undefined, emfNamespace: string | undefined) => {
    const { log, lines } = readableLog('silent');
    const clock = new FakeClock(new Date());
    const stop = logBacklog({ config: { emfNamespace }, clock, log }, known);
    const minutes = (count: number) => {
      for (let minute = 0; minute < count; minute += 1) clock.fireNext();
      return [...lines];
    };
    return { minutes, stop };
  };

  test('is written once a minute, at any log level, until it ends', () => {
    const { minutes, stop } = logging(() => backlog, 'Lanekeeper');
    expect(minutes(3)).toHaveLength(3);
    const [line] = minutes(0);
    expect(specified.parse(line)._aws.CloudWatchMetrics).toMatchObject([{ Namespace: 'Lanekeeper', Dimensions: [[]] }]);
    expect(line).toMatchObject({ msg: 'backlog', PendingRequests: 7, OldestWaitMs: 1_500, WorkersWanted: 2 });
    stop();
    expect(minutes(2)).toHaveLength(3);
  });

  test('is not written while it is not known, so that an alarm finds values missing; nor without a namespace', () => {
    let known: Backlog | undefined;
    const { minutes } = logging(() => known, 'Lanekeeper');
    expect(minutes(2)).toEqual([]);
    known = backlog;
    expect(minutes(1)).toHaveLength(1);
    expect(logging(() => backlog, undefined).minutes(2)).toEqual([]);
  });
});

describe('the line of a call', () => {
  test('has the metrics of the call, in sum and by route', () => {
    const [line, ...others] = written({}, 'Lanekeeper');
    expect(others).toEqual([]);
    expect(specified.parse(line)._aws.CloudWatchMetrics).toMatchObject([
      { Namespace: 'Lanekeeper', Dimensions: [[], ['route']] },
    ]);
    expect(line).toMatchObject({ Calls: 1, ServerErrors: 0, route: 'GET /queue', ms: line?.DurationMs });
    expect(line?.DurationMs).toBeGreaterThanOrEqual(12);
  });

  test('counts problems by their code, and those that are ours', () => {
    const [refused] = written({ status: 429, code: 'too-many-pending' }, 'Lanekeeper');
    expect(specified.parse(refused)._aws.CloudWatchMetrics[1]).toEqual({
      Namespace: 'Lanekeeper',
      Dimensions: [['code']],
      Metrics: [{ Name: 'Problems', Unit: 'Count' }],
    });
    expect(refused).toMatchObject({ Problems: 1, ServerErrors: 0 });
    expect(written({ status: 503, code: 'store-unavailable' }, 'Lanekeeper')[0]).toMatchObject({ ServerErrors: 1 });
    expect(written({ status: undefined, code: 'internal' }, 'Lanekeeper')[0]).toMatchObject({ ServerErrors: 1 });
  });

  test('is written at any log level, because metrics are made from it; without a namespace it has none', () => {
    expect(written({}, 'Lanekeeper', 'silent')).toHaveLength(1);
    expect(written({}, undefined, 'silent')).toEqual([]);
    expect(written({})[0]).not.toHaveProperty('_aws');
  });
});
