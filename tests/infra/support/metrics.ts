/** The metrics that alarms and dashboard of a template read. */
import { ofType, type Resource, type Template } from './packaged.ts';

/** `dimensions` are the names, sorted. */
export type ReadMetric = { where: string; namespace: string; metric: string; dimensions: string[] };

type Named = { Namespace: string; MetricName: string; Dimensions?: { Name: string }[] };

const ofAlarm = ([where, { Properties }]: [string, Resource]): ReadMetric[] => {
  const several: Named[] | undefined = Properties.Metrics?.flatMap(
    ({ MetricStat }: { MetricStat?: { Metric: Named } }) => MetricStat?.Metric ?? [],
  );
  return (several ?? [Properties as Named]).map(({ Namespace, MetricName, Dimensions = [] }) => ({
    ...{ where, namespace: Namespace, metric: MetricName },
    dimensions: Dimensions.map(({ Name }) => Name).sort(),
  }));
};

/** A metric of a widget: namespace, name, then names and values of dimensions. A dot stands for what the metric above has there. */
type Row = (string | { expression?: string })[];

const isText = (cell: Row[number]): cell is string => typeof cell === 'string';

const ofWidget = (title: string, rows: Row[]): ReadMetric[] => {
  let above: string[] = [];
  return rows.flatMap((row) => {
    const cells = row.filter(isText);
    if (cells.length === 0) return [];
    above = cells[0] === '...' ? above : cells.map((cell, index) => (cell === '.' ? String(above[index]) : cell));
    const [namespace = '', metric = '', ...dimensions] = above;
    return { where: title, namespace, metric, dimensions: dimensions.filter((_cell, index) => index % 2 === 0).sort() };
  });
};

/** `SEARCH('{namespace,dimension} MetricName=name', ...)` */
const ofSearches = (title: string, rows: Row[]): ReadMetric[] =>
  rows.flat().flatMap((cell) => {
    const found = isText(cell) ? null : /\{([^,}]+),([^}]*)\} MetricName=(\w+)/.exec(cell.expression ?? '');
    if (!found) return [];
    const [, namespace = '', dimensions = '', metric = ''] = found;
    return { where: title, namespace, metric, dimensions: dimensions.split(',').sort() };
  });

export const metricsOf = (template: Template): ReadMetric[] => {
  const body: string = template.Resources.Dashboard?.Properties.DashboardBody['Fn::Sub'];
  const { widgets } = JSON.parse(body.replaceAll(/\$\{[^}]*\}/g, 'x'));
  return [
    ...ofType(template, 'AWS::CloudWatch::Alarm').flatMap(ofAlarm),
    ...widgets.flatMap(
      ({ properties: { title, metrics = [] } }: { properties: { title: string; metrics?: Row[] } }) => [
        ...ofWidget(title, metrics),
        ...ofSearches(title, metrics),
      ],
    ),
  ];
};
