/** Alarms, dashboard and runbook on AWS, against each other. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { anchorsOf, read, section } from '../docs/support/markdown.ts';
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

/** The metrics of Lanekeeper's own namespace that alarms and dashboard read, and what writes them. */
test('alarms and dashboard read only metrics that the code writes, in the namespace that it is given', () => {
  const namespace = 'Lanekeeper/prod';
  const written = ['lib/telemetry/embedded-metrics.ts', 'lib/consumer/log-backlog.ts'].flatMap((file) =>
    [...read(file).matchAll(/name: '(\w+)', unit/g)].map(([, name]) => name),
  );
  const own = ofType(template, 'AWS::CloudWatch::Alarm').filter(
    ([, { Properties }]) => Properties.Namespace === namespace,
  );
  const shown = [...dashboard().matchAll(/\["Lanekeeper\/prod", "(\w+)"\]|MetricName=(\w+)/g)].map(
    ([, a, b]) => a ?? b,
  );
  const readNames = [...own.map(([, { Properties }]) => Properties.MetricName), ...shown];
  expect(readNames).toEqual(expect.arrayContaining(['PendingRequests', 'OldestWaitMs', 'WorkersWanted', 'Problems']));
  expect(readNames.filter((name) => !written.includes(name))).toEqual([]);
  // CloudWatch keeps metrics with and without dimensions apart.
  for (const [, { Properties }] of own) expect(Properties.Dimensions).toBeUndefined();
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
