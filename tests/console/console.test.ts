/** The console in a browser, on a real API with real workers. */
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../support/world.ts';
import { violationsOn } from './support/axe.ts';
import { chromiumProgram, openStage, type StageUser } from './support/stage.ts';

jest.setTimeout(60_000);

const why = chromiumProgram ? '' : ' (skipped: chromium is not installed)';

/** Longer than any page waits between two calls, if it made some by itself. */
const quietMs = 10_000;

/** Waits until there are no more calls for so long; twice as long at most. */
const quietFor = async (calls: string[], ms: number): Promise<void> => {
  let since = performance.now();
  let { length } = calls;
  await eventually(
    `no call for ${ms} ms, after ${calls.slice(-3)}`,
    () => {
      if (calls.length > length) since = performance.now();
      length = calls.length;
      return performance.now() - since > ms;
    },
    2 * ms,
  );
};

/** The API below `/lanes`. `headers`: what each call says, whatever the page has said. */
const openProxy = async (to: string, headers: Record<string, string> = {}) => {
  const proxy = createServer((incoming, outgoing) => {
    const url = new URL((incoming.url ?? '').replace(/^\/lanes/, ''), to);
    const options = { method: incoming.method, headers: { ...incoming.headers, ...headers } };
    const onwards = forward(url, options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onwards.on('error', () => outgoing.destroy());
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async close() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
};

const goTo = (page: Page, hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

/** As after a while in another tab: the page reads again. */
const lookAgain = (page: Page) => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");

(chromiumProgram ? describe : describe.skip)(`the console${why}`, () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let ada: StageUser;
  let gwen: StageUser;
  beforeAll(async () => {
    stage = await openStage();
    await stage.operator('olga');
    ada = await stage.user('ada');
    await ada.enqueue('first', { fail: 'card declined' }, 'third');
    gwen = await stage.user('gwen');
    await gwen.enqueue({ fail: 'no such address' }, 'second');
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const open = async (username: string, options?: Parameters<typeof stage.openPage>[0]) => {
    const opened = await stage.openPage(options);
    await stage.logIn(opened.page, username);
    return opened;
  };

  test('has a first load of less than 150 KB', async () => {
    const files = ['/console', '/console/console.js', '/console/console.css'];
    const sizes = await Promise.all(
      files.map(async (file) => gzipSync(await (await fetch(`${stage.url}${file}`)).bytes()).byteLength),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000);
  });

  test('says that a password is wrong, and lets nobody in', async () => {
    const { page, faults } = await stage.openPage();
    await page.getByLabel('User name').fill('olga');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('The user name or the password is wrong.').waitFor();
    expect(await page.evaluate('JSON.stringify([document.cookie, localStorage, sessionStorage])')).toBe('["",{},{}]');
    expect(faults).toEqual([]);
    await page.close();
  });

  test('axe finds nothing on any page, light or dark', async () => {
    const { page, faults } = await stage.openPage();
    const found: Record<string, string[]> = { login: await violationsOn(page) };
    await stage.logIn(page, 'olga');
    const pages = {
      '#/': 'Lanes',
      '#/users': 'ada',
      [`#/users/id:${ada.userId}`]: 'History',
      [`#/users/id:${ada.userId}/requests/2`]: 'Accepted',
      '#/dead-letters': 'What was asked for',
      '#/workers': 'Lanes',
      '#/queue': 'History',
    };
    for (const [hash, text] of Object.entries(pages)) {
      await goTo(page, hash);
      await page.getByText(text).first().waitFor();
      found[hash] = await violationsOn(page);
    }
    expect(Object.values(found).flat()).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('an operator drops a dead letter after a preview, and its user goes on', async () => {
    const { page, faults } = await open('olga', { path: '#/dead-letters' });
    await page.getByLabel('Choose request 1 of gwen').check();
    await page.getByRole('button', { name: 'Drop 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('gwen, request 1: no such address').waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Drop 1' }).click();
    await page.getByText('1 dead letter was dropped.').waitFor();
    await page.getByLabel('Choose request 1 of gwen').waitFor({ state: 'detached' });
    expect((await stage.world.settled({ ...gwen, sessionId: '', lane: 0 }, 2)).status).toBe('done');
    expect(faults).toEqual([]);
    await page.close();
  });

  test('all dead letters of a user are offered on the first page, whose preview does not pretend to show all', async () => {
    const lea = await stage.user('lea');
    await lea.enqueue({ fail: 'first', always: true }, { fail: 'second', always: true });
    const { page } = await open('olga', { path: `#/users/id:${lea.userId}` });
    await page.getByRole('button', { name: 'Skip request 1' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Skip request 1' }).click();
    await page.getByText('Waits because request 2 is blocked').waitFor();
    await page.route('**/dead-letters?*', (route) => route.continue({ url: `${route.request().url()}&limit=1` }));
    await goTo(page, '#/dead-letters?user=lea');
    const dropAll = page.getByRole('button', { name: 'Drop all of lea' });
    await dropAll.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The first of them:').waitFor();
    expect(await dialog.getByRole('listitem').allTextContents()).toEqual(['lea, request 1: first']);
    await dialog.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('link', { name: 'Next page' }).click();
    await page.getByLabel('Choose request 2 of lea').waitFor();
    expect(await dropAll.count()).toBe(0);
    await page.getByRole('link', { name: 'First page' }).click();
    await dropAll.click();
    await dialog.getByRole('button', { name: 'Drop all of lea' }).click();
    await page.getByText('2 dead letters were dropped.').waitFor();
    await page.close();
  });

  test('an operator finds the stuck user from the overview in two clicks, and frees it', async () => {
    const { page, faults } = await open('olga');
    await page.getByRole('link', { name: 'Who is blocked' }).click();
    await page.getByRole('link', { name: 'ada' }).click();
    await page.getByText(/^Waits because request 2 is blocked since \d+:\d+:\d+: card declined$/).waitFor();
    expect(await page.locator('.facts div', { hasText: 'Fencing token' }).textContent()).toMatch(/\d$/);
    stage.fix();
    await page.getByRole('button', { name: 'Retry request 2' }).first().click();
    await page.getByText('Request 2 runs again.').waitFor();
    await page.getByText('Nothing is pending.').first().waitFor();
    expect(await page.locator('.history li').first().textContent()).toContain('Request 3');
    await page.getByRole('link', { name: 'Request 2' }).click();
    await page.getByText('Settled: done').waitFor();
    const asked = page.getByLabel('What was asked for, as JSON');
    expect(JSON.parse((await asked.textContent()) ?? '')).toEqual({ fail: 'card declined' });
    expect(faults).toEqual([]);
    await page.close();
  });

  test('a request tells its attempts: operators see who ran each, and its user what the errors may show', async () => {
    const fay = await stage.user('fay');
    await fay.enqueue({ failOnce: 'try later' });
    expect((await stage.world.settled({ ...fay, sessionId: '', lane: 0 }, 1)).status).toBe('done');
    const { page, faults } = await open('olga', { path: `#/users/id:${fay.userId}/requests/1` });
    const steps = page.getByRole('list', { name: 'What happened' }).getByRole('listitem');
    await steps.first().waitFor();
    const told = await steps.allTextContents();
    expect(told.map((text) => text.match(/^(Accepted|Attempt \d (?:failed|succeeded)|Settled: done)/)?.[1])).toEqual([
      'Accepted',
      'Attempt 1 failed',
      'Attempt 2 succeeded',
      'Settled: done',
    ]);
    expect(told[1]).toMatch(/ran for .*worker \w{8}, fencing token \d+Error: try later/);
    await page.getByText('The whole error').click();
    await page.getByLabel('The error of attempt 1, as JSON').getByText('no route').waitFor();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('The call was copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      `curl -s '${stage.url}/users/id%3A${fay.userId}/requests/1?as=operator&include=request' -H "authorization: Bearer $TOKEN"`,
    );
    expect(await violationsOn(page)).toEqual([]);
    await page
      .getByRole('link', { name: /^worker / })
      .first()
      .click();
    await page.getByRole('heading', { name: 'Workers and lanes' }).waitFor();
    expect(faults).toEqual([]);
    await page.close();
    const { page: own } = await open('fay', { path: '#/queue/1' });
    const failed = own.getByRole('listitem').filter({ hasText: 'Attempt 1 failed' });
    expect(await failed.textContent()).toContain('Error: try later');
    expect(await failed.textContent()).not.toContain('worker');
    await own.close();
  });

  test('the lanes say who owns them since when, and which moves there were', async () => {
    const { page, faults } = await open('olga', { path: '#/workers' });
    const moves = page.getByRole('region', { name: 'Moves in the last hour' });
    await moves
      .getByText(/16 lanes|\d+ lanes \(/)
      .first()
      .waitFor();
    await page.getByText('Lane by lane').click();
    const rows = page.getByRole('row').filter({ hasText: /\d+:\d+:\d+, .* ago/ });
    await rows.nth(15).waitFor();
    expect(await rows.count()).toBe(16);
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('the overview and the users show what happens without a reload, and all pages share one stream', async () => {
    const { page, faults } = await open('olga');
    await page.getByRole('heading', { name: 'Lanes' }).waitFor();
    const streams: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/overview')) streams.push(request.url());
    });
    const blocked = () => page.locator('.problems li', { hasText: 'somebody must decide' }).allTextContents();
    const before = await blocked();
    const ida = await stage.user('ida');
    await ida.enqueue({ fail: 'no such order', always: true }, 'second');
    const enqueuedAt = performance.now();
    await eventually('the problem', async () => String(await blocked()) !== String(before));
    expect(performance.now() - enqueuedAt).toBeLessThan(4_000);
    await page.locator('section', { hasText: 'Who waits longest' }).getByRole('link', { name: 'ida' }).waitFor();
    await goTo(page, '#/users');
    await page.getByRole('link', { name: 'ida' }).waitFor();
    const jan = await stage.user('jan');
    await jan.enqueue({ hold: 'jan' });
    await page.getByRole('link', { name: 'jan' }).waitFor();
    stage.release('jan');
    await page.getByRole('link', { name: 'jan' }).waitFor({ state: 'detached' });
    await goTo(page, '#/dead-letters');
    await page.getByLabel('Choose request 1 of ida').waitFor();
    await page.getByRole('button', { name: 'ended' }).click();
    await page.getByText('There are no dead letters here.').waitFor();
    expect(page.url()).toContain('#/dead-letters?reason=ended');
    await page.getByRole('button', { name: 'failed' }).click();
    await page.getByLabel('Choose request 1 of ida').waitFor();
    await goTo(page, '#/workers');
    await page.getByRole('table').first().waitFor();
    expect(streams).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('an answer that comes after that of a later read is not shown', async () => {
    const { page } = await open('olga');
    const answered = Promise.withResolvers<void>();
    const later = Promise.withResolvers<void>();
    const isUsers = (url: URL) => url.pathname === '/users';
    await page.route(
      isUsers,
      async (route) => {
        const response = await route.fetch();
        answered.resolve();
        await later.promise;
        await route.fulfill({ response });
      },
      { times: 1 },
    );
    const slow = page.waitForResponse((response) => isUsers(new URL(response.url())));
    await goTo(page, '#/users');
    await answered.promise;
    const mia = await stage.user('mia');
    await mia.enqueue({ hold: 'mia' });
    await lookAgain(page);
    await page.getByRole('link', { name: 'mia' }).waitFor();
    later.resolve();
    await (await slow).finished();
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await page.getByRole('link', { name: 'mia' }).count()).toBe(1);
    stage.release('mia');
    await page.close();
  });

  test('a page on which nothing happens makes no calls', async () => {
    const { page } = await open('olga');
    const calls: string[] = [];
    page.on('request', (request) => calls.push(request.url()));
    for (const hash of ['#/users?verdict=blocked', '#/']) {
      await goTo(page, hash);
      await page.getByRole('link', { name: 'ida' }).first().waitFor();
      await quietFor(calls, quietMs);
    }
    await page.close();
  });

  test('a user sees the own queue alone: a new request at once, its settlement within a second', async () => {
    const ben = await stage.user('ben');
    const { page } = await open('ben');
    expect(await page.getByRole('navigation').textContent()).toBe('My queue');
    await page.getByLabel('New request, as JSON').fill('{"hold":"ben"}');
    await page.getByRole('button', { name: 'Enqueue' }).click();
    await page.getByText('Request 1 runs.').waitFor();
    await page.getByLabel('New request, as JSON').fill('"waits"');
    await page.getByRole('button', { name: 'Enqueue' }).click();
    await page.getByRole('button', { name: 'Cancel request 2' }).click();
    await page.locator('.history li', { hasText: 'Request 2' }).waitFor();
    const released = performance.now();
    stage.release('ben');
    await page.locator('.history li', { hasText: 'Request 1' }).waitFor();
    expect(performance.now() - released).toBeLessThan(1_000);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    const sessionsOf = async () => (await stage.world.stores.userQueues.get([ben.userId]))[0]?.sessions.length;
    await eventually('the session of the page has ended', async () => (await sessionsOf()) === 1);
    await page.close();
  });

  test('a reload asks for the password again, and keeps the place', async () => {
    const { page } = await open('olga');
    await goTo(page, '#/users');
    await page.getByLabel('Verdict').selectOption('between-attempts');
    await page.getByText('No user matches these filters.').waitFor();
    await page.reload();
    await stage.logIn(page, 'olga');
    await page.getByText('No user matches these filters.').waitFor();
    expect(await page.getByLabel('Verdict').inputValue()).toBe('between-attempts');
    await page.close();
  });

  test('an operator who loses the role sees the own queue and why', async () => {
    await stage.operator('otto');
    const { page } = await open('otto');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await stage.world.stores.accounts.setRole('otto', 'user');
    await page.getByText('does not have the operator role any more').waitFor();
    await page.getByRole('heading', { name: 'My queue' }).waitFor();
    await page.close();
  });

  test('works below a path', async () => {
    const proxy = await openProxy(stage.url);
    const { page } = await stage.openPage();
    await page.goto(`${proxy.url}/lanes/console#/queue`);
    await stage.logIn(page, 'ben');
    await page.getByText('Nothing is pending.').first().waitFor();
    await page.close();
    await proxy.close();
  });

  test('where nothing streams, the overview comes as pages that wait', async () => {
    const proxy = await openProxy(stage.url, { accept: 'application/json' });
    const { page } = await stage.openPage();
    await page.goto(`${proxy.url}/lanes/console#/users`);
    const pages: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('wait=')) pages.push(request.url());
    });
    await stage.logIn(page, 'olga');
    await eventually('a page that waits', () => pages.some((url) => /overview\?after=.+&wait=20/.test(url)));
    const kim = await stage.user('kim');
    await kim.enqueue({ hold: 'kim' });
    await page.getByRole('link', { name: 'kim' }).waitFor();
    stage.release('kim');
    await page.getByRole('link', { name: 'kim' }).waitFor({ state: 'detached' });
    await page.close();
    await proxy.close();
  });

  test('says since when the API is away, and goes on by itself when it is back', async () => {
    const { page } = await open('ben');
    await page.getByText('Nothing is pending.').first().waitFor();
    await stage.killApi();
    await page.getByText('The API does not answer. Since').waitFor();
    await stage.startApi();
    await page.getByText('The API does not answer. Since').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Enqueue' }).click();
    await page.locator('.history li', { hasText: 'Request 3' }).waitFor();
    await page.close();
  });

  test('the dead letters, and which of them are chosen, stay while the API is away', async () => {
    const { page } = await open('olga', { path: '#/dead-letters' });
    const box = page.getByLabel('Choose request 1 of ida');
    await box.check();
    await stage.killApi();
    await lookAgain(page);
    await page.getByText('This page goes on by itself').waitFor();
    expect(await box.isChecked()).toBe(true);
    await stage.startApi();
    await page.getByText('This page goes on by itself').waitFor({ state: 'detached' });
    expect(await box.isChecked()).toBe(true);
    await page.close();
  });
});
