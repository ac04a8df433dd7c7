/**
 * Opens the console's overview in several pages of Chromium beside many open users: what the viewers cost the API and MongoDB, while nothing
 * happens and under a light load. Then asks for pages of users beside many more, most of which are closed. Private servers.
 *
 *     node --no-warnings tests/scale/console-viewers.ts --users 20000 --accounts 100000
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { laneOf } from '../../lib/lane-of.ts';
import type { EntryId } from '../../lib/types.ts';
import { closedLoop, nowMs, openLoop } from '../../tools/load.ts';
import { findBinary } from '../../tools/services/processes.ts';
import { buildConsole } from '../console/support/build.ts';
import { type Note, openDeployment } from './deployment.ts';
import { percentile } from './percentile.ts';
import { familyOf, loadOver, pidsOf } from './processes.ts';

type Options = { users: number; accounts: number; viewers: number; ratePerSecond: number; seconds: number };

/** The part of one core that the API and MongoDB use. */
type Load = { api: number; mongodb: number };

const inFlight = 64;
const lanes = 64;
const operator = { username: 'olga', password: 'correct horse 17' };
const callsOfEach = 50;
const queries = {
  waiting: 'show=waiting&limit=50',
  all: 'show=all&limit=50',
  named: 'show=all&name=user-77&limit=50',
  'of a lane': 'show=all&lane=7&limit=50',
  blocked: 'verdict=blocked&limit=50',
};

const openPage = async (browser: Browser, url: string): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${url}/console`);
  await page.getByLabel('User name').fill(operator.username);
  await page.getByLabel('Password').fill(operator.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
};

export const measureViewers = async (options: Options, note: Note) => {
  const { users, accounts, viewers, ratePerSecond, seconds } = options;
  buildConsole();
  await using deployment = await openDeployment({ lanes, publishTimeoutMs: 10_000, storeTimeoutMs: 30_000 }, note);
  const { stores, mongodb } = deployment;
  const consumer = await deployment.startConsumer('consumer', { WORKERS: '2', IDLE_TIMEOUT_MS: '86400000' });
  const accepted: EntryId[] = [];
  await closedLoop({ count: users, inFlight }, async (index) => accepted.push(await deployment.accept(index)));
  await consumer.until('all are settled', 900_000, () => deployment.areSettled(accepted));
  note(`${users} users are open`);
  const createAccount = async (index: number): Promise<void> => {
    const userId = `account-${index}`;
    await stores.userQueues.create(userId, laneOf(userId, lanes), new Date());
  };
  await closedLoop({ count: Math.max(0, accounts - users), inFlight }, createAccount);
  note(`${accounts} users are there`);

  const api = await deployment.startApi({ LOGINS_PER_MINUTE: '0' });
  const url = `http://127.0.0.1:${api.port}`;
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  await call('/register', operator);
  await stores.accounts.setRole(operator.username, 'operator');
  const { token } = await call('/login', operator);

  const measure = async (): Promise<Load> => {
    const [ofApi, ofMongodb] = await Promise.all([
      loadOver(familyOf(api.pid ?? 0), seconds),
      loadOver(pidsOf(mongodb), seconds),
    ]);
    return { api: ofApi, mongodb: ofMongodb };
  };
  const measureBusy = async (): Promise<Load> => {
    const count = ratePerSecond * seconds;
    const [load] = await Promise.all([
      measure(),
      openLoop({ ratePerSecond, count }, async (index) => void (await deployment.accept((index * 7_919) % users))),
    ]);
    return load;
  };
  const alone = { idle: await measure(), busy: await measureBusy() };
  note(`without viewers: ${JSON.stringify(alone)}`);

  const lists: Record<string, { p50: number; longest: number }> = {};
  for (const [name, query] of Object.entries(queries)) {
    const times: number[] = [];
    for (let index = 0; index < callsOfEach; index += 1) {
      const startedAt = nowMs();
      const response = await fetch(`${url}/users?${query}`, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new Error(await response.text());
      await response.text();
      times.push(nowMs() - startedAt);
    }
    lists[name] = { p50: percentile(times, 0.5), longest: Math.max(...times) };
  }
  note(`pages of users, in ms: ${JSON.stringify(lists)}`);

  await using browser = await chromium.launch({ executablePath: findBinary('chromium', []), args: ['--no-sandbox'] });
  for (let index = 0; index < viewers; index += 1) await openPage(browser, url);
  await sleep(2_000);
  const watched = { idle: await measure(), busy: await measureBusy() };
  return { alone, watched, lists };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '20000' },
      accounts: { type: 'string', default: '100000' },
      viewers: { type: 'string', default: '10' },
      rate: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '30' },
    },
  });
  const options = {
    users: Number(values.users),
    accounts: Number(values.accounts),
    viewers: Number(values.viewers),
    ratePerSecond: Number(values.rate),
    seconds: Number(values.seconds),
  };
  const result = await measureViewers(options, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${JSON.stringify({ ...options, ...result }, null, 2)}\n`);
}
