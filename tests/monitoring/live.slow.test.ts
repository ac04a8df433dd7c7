/**
 * The dashboard and the alerts on a real Prometheus that scrapes a real API and a real consumer while they work: every query returns
 * data, and every rule is evaluated.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execa, type ResultPromise } from 'execa';
import getPort from 'get-port';
import { root } from '../../tools/run-tool.ts';
import { httpClient } from '../http/drivers.ts';
import { cleanUp, environmentOf, testOptions } from '../library/open.ts';
import { tokenSecret, uniqueName } from '../support/servers.ts';
import { eventually } from '../support/world.ts';
import { folder, queriesOf, readAlerts, readDashboard } from './support/files.ts';
import { findPrometheus } from './support/prometheus.ts';

jest.setTimeout(240_000);

const rateInterval = '30s';
const options = testOptions();
const processes: ResultPromise[] = [];
let data: string;
let prometheusUrl: string | undefined;
const traffic = new AbortController();

const start = (file: string, args: string[], env: Record<string, string | undefined> = {}): void => {
  const started = execa(file, args, { env, cwd: root, stdout: 'ignore', reject: false, forceKillAfterDelay: 10_000 });
  processes.push(started);
};

const answers = (url: string) =>
  eventually(
    url,
    () =>
      fetch(url).then(
        (response) => response.ok,
        () => false,
      ),
    60_000,
  );

/** Calls of all kinds, until the test is over. */
const keepBusy = async (api: string): Promise<void> => {
  const call = httpClient(api);
  const body = { username: uniqueName('user'), password: 'correct horse' };
  await call({ call: 'POST /register', body });
  const token = (await call({ call: 'POST /login', body })).body.token as string;
  while (!traffic.signal.aborted) {
    await call({ call: 'POST /enqueue', body: { request: 'work' }, token }).catch(() => undefined);
    await call({ call: 'GET /requests/99999999', token }).catch(() => undefined);
    await sleep(50);
  }
};

const configOf = (ports: { consumer: number; api: number }): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'alerts.yml')],
    scrape_configs: Object.entries(ports).map(([job, port]) => ({
      job_name: job,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    })),
  });

beforeAll(async () => {
  const found = await findPrometheus();
  if (typeof found === 'string') {
    process.stdout.write(`skipped: ${found}\n`);
    return;
  }
  data = await mkdtemp(join(tmpdir(), 'lanekeeper-prometheus-'));
  const [consumer, api, apiMetrics, prometheus] = await Promise.all([getPort(), getPort(), getPort(), getPort()]);
  const env = {
    ...environmentOf(options),
    LANES: String(options.lanes),
    JWT_SECRET: tokenSecret,
    BCRYPT_COST: '4',
    WORKERS: '1',
    SWEEP_MS: '500',
    PROCESSOR: fileURLToPath(new URL('support/processor.mjs', import.meta.url)),
    METRICS_PORT: String(consumer),
    PORT: String(api),
    API_METRICS_PORT: String(apiMetrics),
    LOG_LEVEL: 'error',
  };
  start(process.execPath, ['--no-warnings', 'functions/consumer.ts'], env);
  start(process.execPath, ['--no-warnings', 'functions/api.ts'], env);
  writeFileSync(join(data, 'prometheus.yml'), configOf({ consumer, api: apiMetrics }));
  start(found.prometheus, [
    `--config.file=${join(data, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(data, 'data')}`,
    `--web.listen-address=127.0.0.1:${prometheus}`,
    '--log.level=error',
  ]);
  await Promise.all([
    answers(`http://127.0.0.1:${consumer}/healthz`),
    answers(`http://127.0.0.1:${api}/livez`),
    answers(`http://127.0.0.1:${prometheus}/-/ready`),
  ]);
  void keepBusy(`http://127.0.0.1:${api}`);
  prometheusUrl = `http://127.0.0.1:${prometheus}`;
});

afterAll(async () => {
  traffic.abort();
  for (const started of processes) started.kill('SIGTERM');
  await Promise.all(processes);
  if (!prometheusUrl) return;
  await rm(data, { recursive: true });
  await cleanUp(options);
});

type Series = { metric: Record<string, string>; value: [number, string] };

const query = async (expr: string): Promise<Series[]> => {
  const response = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`);
  const {
    status,
    data: found,
    error,
  } = (await response.json()) as never as {
    status: string;
    data: { result: Series[] };
    error?: string;
  };
  if (status !== 'success') throw new Error(`${error}: ${expr}`);
  return found.result;
};

const hasNumber = (series: Series[]): boolean => series.some(({ value: [, text] }) => !Number.isNaN(Number(text)));

test('every query of the dashboard returns data', async () => {
  if (!prometheusUrl) return;
  const queries = queriesOf(readDashboard(), rateInterval);
  expect(queries.length).toBeGreaterThan(30);
  for (const { panel, expr } of queries)
    await eventually(`${panel} has data: ${expr}`, async () => hasNumber(await query(expr)), 60_000);
});

test('Prometheus evaluates every rule, and none of those fires that need a person now', async () => {
  if (!prometheusUrl) return;
  const rules = async () => {
    const response = await fetch(`${prometheusUrl}/api/v1/rules`);
    const { data: found } = (await response.json()) as never as {
      data: { groups: { rules: { name: string; health: string; state: string; labels: { severity: string } }[] }[] };
    };
    return found.groups.flatMap((group) => group.rules);
  };
  const evaluated = await eventually('every rule is evaluated', async () => {
    const all = await rules();
    return all.every(({ health }) => health === 'ok') && all;
  });
  expect(evaluated.map(({ name }) => name).sort()).toEqual(
    readAlerts()
      .map(({ alert }) => alert)
      .sort(),
  );
  const critical = evaluated.filter(({ labels }) => labels.severity === 'critical');
  expect(critical.filter(({ state }) => state === 'firing')).toEqual([]);
});
