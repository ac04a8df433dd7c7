/** The alerting rules: with promtool on their own unit tests, and against the metrics that the code has. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { filesUnder, read, section, sorted } from '../docs/support/markdown.ts';
import { folder, metricsIn, queriesOf, readAlertCases, readAlerts, readDashboard } from './support/files.ts';
import { findPrometheus, type PrometheusPrograms } from './support/prometheus.ts';

// promtool takes 3 s of a core, and the package may have to be downloaded.
jest.setTimeout(120_000);

const served = new Set(
  filesUnder('lib', '.ts').flatMap((file) => read(file).match(/(?<=')lanekeeper_\w+(?=')/g) ?? []),
);

describe('the alerting rules', () => {
  let programs: PrometheusPrograms | undefined;
  beforeAll(async () => {
    const found = await findPrometheus();
    if (typeof found === 'string') process.stdout.write(`skipped: ${found}\n`);
    else programs = found;
  });

  test('are valid, and fire and stay silent as their unit tests say', async () => {
    if (!programs) return;
    await execa(programs.promtool, ['check', 'rules', 'alerts.yml'], { cwd: folder });
    await execa(programs.promtool, ['test', 'rules', 'alerts.test.yml'], { cwd: folder });
  });

  test('each fires in at least one unit test, and stays silent in another', () => {
    const cases = readAlertCases();
    for (const { alert } of readAlerts()) {
      const own = cases.filter((one) => one.alert === alert);
      expect([alert, own.some(({ fires }) => fires), own.some(({ fires }) => !fires)]).toEqual([alert, true, true]);
    }
  });

  test('each has an entry in the runbook, and links to it', () => {
    const alerts = readAlerts();
    const entries = section(read('docs/runbook.md'), '## Prometheus alerts').match(/(?<=^### )Lanekeeper\w+$/gm);
    expect(sorted(alerts.map(({ alert }) => alert))).toEqual(sorted(entries ?? []));
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  test('each is about metrics that exist', () => {
    for (const { alert, expr } of readAlerts()) {
      expect(metricsIn(expr)).not.toEqual([]);
      expect([alert, metricsIn(expr).filter((name) => !served.has(name))]).toEqual([alert, []]);
    }
  });
});

/** Grafana's names of the units that fit what an expression yields. */
const unitsOf = (expr: string): string[] => {
  if (/_seconds(_bucket)?\b/.test(expr)) return ['s'];
  if (/_bytes\b/.test(expr)) return ['bytes'];
  if (/\brate\(/.test(expr)) return ['reqps'];
  return expr.includes('lanekeeper_server_up') ? ['bool_yes_no'] : ['short', 'none'];
};

describe('the dashboard', () => {
  test('has what Grafana needs to import it', () => {
    const { panels } = readDashboard();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test('has no two panels in one place', () => {
    const { panels } = readDashboard();
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('shows each number in its unit', () => {
    for (const panel of readDashboard().panels) {
      if (panel.type === 'row') continue;
      const { unit } = panel.fieldConfig.defaults;
      for (const { expr } of panel.targets)
        expect([panel.title, unitsOf(expr)]).toEqual([panel.title, expect.arrayContaining([unit])]);
    }
  });

  test('shows every metric that exists, and no other', () => {
    const shown = new Set(queriesOf(readDashboard(), '1m').flatMap(({ expr }) => metricsIn(expr)));
    // Of an API with several workers only.
    const ofApiCluster = ['lanekeeper_api_workers_ready', 'lanekeeper_api_worker_restarts_total'];
    const ownAge = ['lanekeeper_statistics_age_seconds'];
    expect([...shown].filter((name) => !served.has(name))).toEqual([]);
    expect([...served].filter((name) => !shown.has(name)).sort()).toEqual([...ofApiCluster, ...ownAge].sort());
  });
});
