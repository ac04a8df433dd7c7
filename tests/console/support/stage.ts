/** What the tests of the console look at: the API as a process, two workers with a processor of the test, users, and a browser. */
import getPort from 'get-port';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import { systemClock as clock } from '../../../lib/clock.ts';
import { type Processor, UnrecoverableError } from '../../../lib/processor.ts';
import { decidePolicy } from '../../../lib/runs/policy.ts';
import { createRunRequest } from '../../../lib/runs/run.ts';
import { findBinary } from '../../../tools/services/processes.ts';
import { consumerScript, startCluster } from '../../consumer/support/cluster.ts';
import { startApi } from '../../http/api-process.ts';
import { httpClient } from '../../http/drivers.ts';
import { openWorld, serversOf, type World } from '../../support/world.ts';
import { buildConsole } from './build.ts';

export const chromiumProgram = findBinary('chromium', []);

const log = pino({ level: 'silent' });
const password = 'correct horse 17';

/** `failOnce`: its first attempt fails. `always`: it fails whether it is fixed or not. */
type Work = { fail?: string; failOnce?: string; always?: true; hold?: string };

/** `isFixed`: what failed before succeeds. `release` ends the runs that hold. */
const createProcessor = () => {
  let isFixed = false;
  const held = new Map<string, PromiseWithResolvers<void>>();
  const gate = (name: string): PromiseWithResolvers<void> => {
    const found = held.get(name) ?? Promise.withResolvers<void>();
    held.set(name, found);
    return found;
  };
  const processor: Processor = async (request, { signal, attempt }) => {
    const { fail, failOnce, always, hold } = Object(request) as Work;
    if (hold) {
      const stopped = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => stopped.reject(signal.reason));
      await Promise.race([gate(hold).promise, stopped.promise]);
    }
    if (failOnce && attempt === 1)
      throw Object.assign(new Error(failOnce, { cause: new Error('no route') }), { expose: true });
    if (fail && (always || !isFixed)) throw Object.assign(new UnrecoverableError(fail), { expose: true });
    return request;
  };
  return {
    processor,
    fix: () => {
      isFixed = true;
    },
    release: (name: string) => gate(name).resolve(),
  };
};

export type StageUser = {
  username: string;
  userId: string;
  enqueue(...requests: unknown[]): Promise<void>;
  /** 100 in a call. */
  enqueueMany(requests: unknown[]): Promise<void>;
};

/** Two workers of a real consumer, which echo, and what the API needs so that they can be killed. */
const startConsumer = async (world: World) => {
  const metricsPort = String(await getPort({ host: '127.0.0.1' }));
  const cluster = startCluster({ ...serversOf(world), WORKERS: '2', METRICS_PORT: metricsPort }, consumerScript);
  return { cluster, environment: { TRY_IT_PORT: metricsPort } };
};

/** @param tryIt the workers are processes of their own, and may be killed. */
export const openStage = async (given: Record<string, string> = {}, { tryIt = false } = {}) => {
  buildConsole();
  const world = await openWorld({ lanes: 16 });
  const { processor, ...controls } = createProcessor();
  const policy = decidePolicy({ maxAttempts: 3, retryBaseMs: 5, retryMaxMs: 20, onFailure: 'block' }, world.config);
  const consumer = tryIt ? await startConsumer(world) : undefined;
  const environment = { ...given, ...consumer?.environment };
  for (let worker = 0; worker < 2 && !tryIt; worker += 1)
    world.work(createRunRequest({ processor, policy }, { clock, log }));
  const port = await getPort({ host: '127.0.0.1' });
  const url = `http://127.0.0.1:${port}`;
  const call = httpClient(url);
  const start = () => startApi(['functions/api.ts'], { ...serversOf(world), PORT: String(port), ...environment });
  let api = await start();
  const browser: Browser = await chromium.launch({
    executablePath: chromiumProgram,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

  const user = async (username: string): Promise<StageUser> => {
    const credentials = { username, password };
    const { userId } = (await call({ call: 'POST /register', body: credentials })).body as { userId: string };
    const { token } = (await call({ call: 'POST /login', body: credentials })).body as { token: string };
    return {
      username,
      userId,
      async enqueue(...requests) {
        for (const request of requests) await call({ call: 'POST /enqueue', body: { request }, token });
      },
      async enqueueMany(requests) {
        const all = requests.map((request) => ({ request }));
        while (all.length > 0) await call({ call: 'POST /enqueue', body: { requests: all.splice(0, 100) }, token });
      },
    };
  };

  /** Opens a page of its own. `faults`: what the browser complains about, and calls to other hosts. */
  const openPage = async ({
    width = 1280,
    dark = false,
    path = '',
  } = {}): Promise<{ page: Page; faults: string[] }> => {
    const colorScheme = dark ? 'dark' : 'light';
    const page = await browser.newPage({ colorScheme, viewport: { width, height: width < 600 ? 844 : 900 } });
    page.setDefaultTimeout(10_000);
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url());
    });
    await page.goto(`${url}/console${path}`);
    return { page, faults };
  };

  const logIn = async (page: Page, username: string): Promise<void> => {
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Log out' }).waitFor();
  };

  return {
    url,
    world,
    ...controls,
    user,
    openPage,
    logIn,
    async operator(username: string): Promise<StageUser> {
      const account = await user(username);
      await world.stores.accounts.setRole(username, 'operator');
      return account;
    },
    /** kill -9. `startApi` starts a new one at the same place. */
    async killApi(): Promise<void> {
      api.signal('SIGKILL');
      await api.exited;
    },
    async startApi(): Promise<void> {
      api = await start();
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await api.end();
      await consumer?.cluster[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
};
