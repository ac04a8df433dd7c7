/** Alarms, dashboard and runbook on AWS, against each other. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { anchorsOf, read, section } from '../docs/support/markdown.ts';
import { metricsOf } from './support/metrics.ts';
import { brokerLimitsOf, consumerVariablesOf, ofType, packageOf, type Template } from './support/packaged.ts';

jest.setTimeout(120_000);

const runbook = read('docs/runbook.md');

/** Tells ECS how many consumers are wanted, and nobody else anything. */
const scaling = 'WorkersWanted';

let template: Template;
beforeAll(async () => {
  await using packaged = await packageOf('prod');
  template = packaged.template;
});

const alarms = () => ofType(template, 'AWS::CloudWatch::Alarm').filter(([name]) => name !== scaling);

/** By the name that a person sees. */
const described = (): [name: string, description: string][] => [
  ...alarms().map(([, { Properties }]): [string, string] => [Properties.AlarmName, Properties.AlarmDescription]),
  ...ofType(template, 'AWS::Events::Rule').map(([, { Properties }]): [string, string] => [
    Properties.Name,
    Properties.Description,
  ]),
];

const dashboard = (): string => template.Resources.Dashboard?.Properties.DashboardBody['Fn::Sub'];

describe('every alarm on AWS', () => {
  test('tells the topic when it goes on, and when it goes off', () => {
    for (const [, { Properties }] of alarms()) {
      expect(Properties).toMatchObject({ AlarmActions: [{ Ref: 'Alarms' }], OKActions: [{ Ref: 'Alarms' }] });
    }
    for (const [, { Properties }] of ofType(template, 'AWS::Events::Rule'))
      expect(Properties.Targets).toEqual([{ Id: 'alarms', Arn: { Ref: 'Alarms' } }]);
  });

  test('has a section of the runbook with its name, and its description leads there', () => {
    const names = described().map(([name, description]) => {
      const heading = name.replace(/^lanekeeper-prod-/, '');
      expect([name, description]).toEqual([name, expect.stringMatching(new RegExp(`\\.md#${heading}$`))]);
      return heading;
    });
    const documented = anchorsOf(section(runbook, '## Alarms on AWS'));
    expect(names.sort()).toEqual(documented.sort());
  });

  test('decides what missing data means', () => {
    for (const [, { Properties }] of alarms())
      expect(Properties.TreatMissingData).toMatch(/^(notBreaching|breaching)$/);
    expect(template.Resources.ConsumersSilent?.Properties.TreatMissingData).toBe('breaching');
  });

  test('of the queues goes on below the limit of RabbitMQ, and above the cap of Lanekeeper', () => {
    const { Threshold } = template.Resources.BrokerQueues?.Properties ?? {};
    expect(Threshold).toBeLessThan(brokerLimitsOf(template).cluster_queue_limit ?? 0);
    expect(Threshold).toBeGreaterThan(Number(consumerVariablesOf(template).MAX_OPEN_QUEUES) + 64);
  });
});

/** What AWS publishes of the metrics that are read, and by which dimensions. https://docs.aws.amazon.com has a page for each service. */
const published: Record<string, { metrics: string[]; dimensions: string[][] }> = {
  'AWS/ApiGateway': {
    metrics: ['4xx', '5xx', 'Count', 'Latency'],
    dimensions: [['ApiId'], ['ApiId', 'Method', 'Resource', 'Stage']],
  },
  'AWS/AmazonMQ': {
    metrics: [
      ...['MessageCount', 'QueueCount', 'SystemCpuUtilization'],
      ...['RabbitMQMemUsed', 'RabbitMQMemLimit', 'RabbitMQDiskFree', 'RabbitMQDiskFreeLimit'],
    ],
    dimensions: [['Broker']],
  },
  'AWS/ECS': { metrics: ['CPUUtilization', 'MemoryUtilization'], dimensions: [['ClusterName', 'ServiceName']] },
  'AWS/Lambda': { metrics: ['Errors'], dimensions: [['FunctionName']] },
};

test('alarms and dashboard read only metrics that AWS or the code writes, by their dimensions', () => {
  const written = ['lib/telemetry/embedded-metrics.ts', 'lib/consumer/log-backlog.ts'].flatMap((file) =>
    [...read(file).matchAll(/name: '(\w+)', unit/g)].map(([, name = '']) => name),
  );
  const known: typeof published = { ...published, 'Lanekeeper/prod': { metrics: written, dimensions: [[], ['code']] } };
  const found = metricsOf(template);
  for (const { where, namespace, metric, dimensions } of found) {
    const of = known[namespace] ?? { metrics: [], dimensions: [] };
    expect([where, metric, of.metrics.includes(metric)]).toEqual([where, metric, true]);
    // CloudWatch keeps metrics with and without dimensions apart, and only problems have a code.
    const own = metric === 'Problems' ? [['code']] : of.dimensions.filter((one) => !one.includes('code'));
    expect([where, own]).toEqual([where, expect.arrayContaining([dimensions])]);
  }
  const ownNames = found.filter(({ namespace }) => namespace === 'Lanekeeper/prod').map(({ metric }) => metric);
  expect(new Set(ownNames)).toEqual(new Set(['PendingRequests', 'OldestWaitMs', 'WorkersWanted', 'Problems']));
});

test('functions and consumers write their metrics into the namespace that is read', () => {
  const namespace = 'Lanekeeper/prod';
  expect(consumerVariablesOf(template).EMF_NAMESPACE).toBe(namespace);
  expect(template.Resources.EnqueueLambdaFunction?.Properties.Environment.Variables.EMF_NAMESPACE).toBe(namespace);
});

describe('the dashboard', () => {
  test('is JSON that CloudWatch can lay out, and names only resources that exist', () => {
    const known = ['AWS::Region', 'AWS::Partition', 'AWS::AccountId', ...Object.keys(template.Resources)];
    for (const [, name = ''] of dashboard().matchAll(/\$\{([A-Za-z:]+)/g)) expect(known).toContain(name);
    const { widgets } = JSON.parse(dashboard().replaceAll(/\$\{[^}]*\}/g, 'x'));
    for (const { x, width, properties } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
      expect(properties.title).toBeTruthy();
    }
  });

  test('shows every alarm', () => {
    for (const [, { Properties }] of alarms()) expect(dashboard()).toContain(`:alarm:${Properties.AlarmName}"`);
  });
});
