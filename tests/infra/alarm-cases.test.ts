/** When each alarm on AWS goes on: its condition is tried with values, in the unit in which the metric comes. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ofType, packageOf, type Template } from './support/packaged.ts';

jest.setTimeout(120_000);

type Values = Record<string, number>;
/** `statistic`: which of the values of a period is looked at. `minutes`: how long it must be so. */
type Case = { statistic: string; minutes: number; on: Values | number; off: Values | number };

/** In the stage prod. */
const cases: Record<string, Case> = {
  ApiErrors: { statistic: 'Sum', minutes: 15, on: { errors: 5, calls: 400 }, off: { errors: 5, calls: 600 } },
  // In ms.
  EnqueueSlow: { statistic: 'p99', minutes: 15, on: 2_100, off: 1_900 },
  RequestsWait: { statistic: 'Maximum', minutes: 5, on: 61_000, off: 59_000 },
  ConsumersSilent: { statistic: 'SampleCount', minutes: 5, on: 0, off: 1 },
  ConsumersAtMost: { statistic: 'Maximum', minutes: 30, on: 17, off: 16 },
  // In bytes.
  BrokerMemory: { statistic: 'Maximum', minutes: 3, on: { used: 850e6, limit: 1e9 }, off: { used: 750e6, limit: 1e9 } },
  BrokerDisk: { statistic: 'Minimum', minutes: 3, on: { free: 1.9e9, limit: 1e9 }, off: { free: 2.1e9, limit: 1e9 } },
  BrokerQueues: { statistic: 'Maximum', minutes: 5, on: 4_600, off: 4_400 },
  // In percent.
  BrokerCpu: { statistic: 'Average', minutes: 15, on: 90, off: 80 },
  TokenSecretStale: { statistic: 'Sum', minutes: 5, on: 1, off: 0 },
  // Always on, while the number is known.
  WorkersWanted: { statistic: 'Maximum', minutes: 1, on: 0, off: -1 },
};

const compare: Record<string, (value: number, threshold: number) => boolean> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/** CloudWatch's arithmetic is JavaScript's, but for `IF`. */
const evaluate = (expression: string, values: Values): number =>
  new Function(...Object.keys(values), 'IF', `return ${expression}`)(
    ...Object.values(values),
    (condition: boolean, yes: number, no: number) => (condition ? yes : no),
  );

let template: Template;
beforeAll(async () => {
  await using packaged = await packageOf('prod');
  template = packaged.template;
});
const alarm = (name: string) => template.Resources[name]?.Properties ?? {};

const isOn = (name: string, values: Values | number): boolean | undefined => {
  const { Metrics = [], ComparisonOperator, Threshold } = alarm(name);
  const expression = Metrics.find(({ Expression }: { Expression?: string }) => Expression)?.Expression;
  const value = typeof values === 'number' ? values : evaluate(expression, values);
  return compare[ComparisonOperator]?.(value, Number(Threshold));
};

test('every alarm has a case', () => {
  expect(
    ofType(template, 'AWS::CloudWatch::Alarm')
      .map(([name]) => name)
      .sort(),
  ).toEqual(Object.keys(cases).sort());
});

describe.each(Object.entries(cases))('%s', (name, { statistic, minutes, on, off }) => {
  test('goes on for what it is meant for, and not for what is usual', () => {
    expect({ on: isOn(name, on), off: isOn(name, off) }).toEqual({ on: true, off: false });
  });

  test('looks at the right values for as long as it should', () => {
    const { Metrics = [], Statistic, ExtendedStatistic, Period, EvaluationPeriods } = alarm(name);
    const stats = Metrics.flatMap(
      ({ MetricStat }: { MetricStat?: { Stat: string; Period: number } }) => MetricStat ?? [],
    );
    expect(stats[0]?.Stat ?? Statistic ?? ExtendedStatistic).toBe(statistic);
    for (const { Period: period } of stats) expect(period).toBe(stats[0].Period);
    expect(((stats[0]?.Period ?? Period) * EvaluationPeriods) / 60).toBe(minutes);
  });
});

test('a few failed calls of many users are no alarm', () => {
  expect(isOn('ApiErrors', { errors: 4, calls: 4 })).toBe(false);
});

test('alarms and the rule may publish to the topic', () => {
  const [{ Principal, Action, Resource }] = alarm('AlarmsPolicy').PolicyDocument.Statement;
  expect(Principal.Service).toEqual(['cloudwatch.amazonaws.com', 'events.amazonaws.com']);
  expect({ Action, Resource }).toEqual({ Action: 'sns:Publish', Resource: { Ref: 'Alarms' } });
  expect(alarm('AlarmsPolicy').Topics).toEqual([{ Ref: 'Alarms' }]);
});

test('a deployment that ECS takes back is told of', () => {
  expect(alarm('ConsumerDeploymentFailed').EventPattern).toEqual({
    source: ['aws.ecs'],
    'detail-type': ['ECS Deployment State Change'],
    resources: [{ Ref: 'Consumer' }],
    detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
  });
});
