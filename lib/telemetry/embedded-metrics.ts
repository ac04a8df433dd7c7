/**
 * CloudWatch's embedded metric format: fields of a log line from which CloudWatch makes metrics. It needs no agent and no call to AWS.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

type Metric = { name: string; unit: 'Count' | 'Milliseconds'; value: number };

/** What CloudWatch makes of a line: the metrics, for each of these sets of dimensions. A set without one is the sum of all. */
type Directive = { dimensions: string[][]; metrics: Metric[] };

const fieldsOf = (namespace: string, at: Date, directives: Directive[]): Record<string, unknown> => ({
  _aws: {
    Timestamp: at.getTime(),
    CloudWatchMetrics: directives.map(({ dimensions, metrics }) => ({
      Namespace: namespace,
      Dimensions: dimensions,
      Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
    })),
  },
  ...Object.fromEntries(directives.flatMap(({ metrics }) => metrics.map(({ name, value }) => [name, value]))),
});

/** For the line of a call, which has `route` and, when it failed, the `code` of its problem. The gateway of AWS sees no codes. */
export const embeddedCall = (
  namespace: string,
  { at, ms, status, code }: { at: Date; ms: number; status: number | undefined; code: string | undefined },
): Record<string, unknown> => {
  const calls: Metric[] = [
    { name: 'Calls', unit: 'Count', value: 1 },
    { name: 'DurationMs', unit: 'Milliseconds', value: ms },
    { name: 'ServerErrors', unit: 'Count', value: (status ?? 500) >= 500 ? 1 : 0 },
  ];
  const problems: Metric[] = [{ name: 'Problems', unit: 'Count', value: 1 }];
  return fieldsOf(namespace, at, [
    { dimensions: [[], ['route']], metrics: calls },
    ...(code === undefined ? [] : [{ dimensions: [['code']], metrics: problems }]),
  ]);
};

/** For a line with gauges of the whole consumer. */
export const embeddedGauges = (namespace: string, at: Date, gauges: Metric[]): Record<string, unknown> =>
  fieldsOf(namespace, at, [{ dimensions: [[]], metrics: gauges }]);
