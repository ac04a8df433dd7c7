/** What deploy/monitoring holds, read and checked by schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../../../tools/run-tool.ts';

export const folder = join(root, 'deploy', 'monitoring');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const alert = z.strictObject({
  alert: z.string().regex(/^Lanekeeper[A-Za-z]+$/),
  expr: z.string().min(1),
  for: z
    .string()
    .regex(/^\d+[mhd]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string().min(1), runbook: z.string().startsWith('docs/runbook.md#') }),
});

/** @throws {ZodError} */
export const readAlerts = (): z.output<typeof alert>[] =>
  z
    .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alert) })) })
    .parse(parse(read('alerts.yml')))
    .groups.flatMap(({ rules }) => rules);

export type AlertCase = { alert: string; fires: boolean };

export const readAlertCases = (): AlertCase[] => {
  const { tests } = parse(read('alerts.test.yml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  return tests.flatMap(({ alert_rule_test: checks }) =>
    [...new Set(checks.map(({ alertname }) => alertname))].map((alert) => ({
      alert,
      fires: checks.some(({ alertname, exp_alerts }) => alertname === alert && exp_alerts.length > 0),
    })),
  );
};

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.string().regex(/^\$\{datasource\}$/) });
/** Grafana has 24 columns. */
const gridPos = z
  .strictObject({ h: z.int().min(1), w: z.int().min(1).max(24), x: z.int().min(0).max(23), y: z.int().min(0) })
  .refine(({ x, w }) => x + w <= 24, 'is wider than the page');
const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string(),
  range: z.literal(true),
});
const shown = {
  id: z.int().min(1),
  title: z.string().min(1),
  description: z.string(),
  datasource,
  gridPos,
  targets: z.array(target).min(1),
};
const steps = z
  .array(z.strictObject({ color: z.string(), value: z.number().nullable() }))
  .min(1)
  .refine(([first]) => first?.value === null, 'the first threshold has no value');
const stat = z.strictObject({
  ...shown,
  type: z.literal('stat'),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({ unit: z.string(), thresholds: z.strictObject({ mode: z.literal('absolute'), steps }) }),
    overrides: z.array(z.never()),
  }),
  options: z.looseObject({
    reduceOptions: z.strictObject({ calcs: z.array(z.string()).min(1), fields: z.string(), values: z.boolean() }),
  }),
});
const timeseries = z.strictObject({
  ...shown,
  type: z.literal('timeseries'),
  fieldConfig: z.strictObject({
    defaults: z.looseObject({
      unit: z.string(),
      custom: z.looseObject({ drawStyle: z.enum(['line', 'bars', 'points']) }),
    }),
    overrides: z.array(z.never()),
  }),
  options: z.looseObject({ legend: z.looseObject({ showLegend: z.boolean() }) }),
});
const row = z.strictObject({
  id: z.int().min(1),
  type: z.literal('row'),
  title: z.string().min(1),
  collapsed: z.literal(false),
  gridPos,
  panels: z.array(z.never()),
});

/** What Grafana needs of a dashboard to import it, as of schema version 39 (Grafana 10 and 11). */
const dashboard = z.looseObject({
  uid: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/),
  title: z.string().min(1),
  schemaVersion: z.literal(39),
  version: z.int(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  refresh: z.string(),
  templating: z.strictObject({
    list: z.tuple([
      z.looseObject({ name: z.literal('datasource'), type: z.literal('datasource'), query: z.literal('prometheus') }),
    ]),
  }),
  annotations: z.strictObject({ list: z.array(z.unknown()) }),
  panels: z.array(z.discriminatedUnion('type', [row, stat, timeseries])).min(1),
});

export type Dashboard = z.output<typeof dashboard>;

/** @throws {ZodError} */
export const readDashboard = (): Dashboard => dashboard.parse(JSON.parse(read('dashboard.json')));

/** The queries of the dashboard, with the variables of Grafana replaced. */
export const queriesOf = ({ panels }: Dashboard, rateInterval: string): { panel: string; expr: string }[] =>
  panels.flatMap((panel) =>
    panel.type === 'row'
      ? []
      : panel.targets.map(({ expr }) => ({
          panel: panel.title,
          expr: expr.replaceAll('$__rate_interval', rateInterval),
        })),
  );

/** The metrics that an expression names, without the suffixes of a histogram. */
export const metricsIn = (expr: string): string[] =>
  (expr.match(/\blanekeeper_\w+/g) ?? []).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
