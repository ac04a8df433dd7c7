/** "Try it" in a browser: users race on workers that are processes of their own, one of these is killed, and the order is kept. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../support/world.ts';
import { violationsOn } from './support/axe.ts';
import { chromiumProgram, openStage } from './support/stage.ts';

jest.setTimeout(60_000);

const why = chromiumProgram ? '' : ' (skipped: chromium is not installed)';

(chromiumProgram ? describe : describe.skip)(`the page "Try it"${why}`, () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  beforeAll(async () => {
    stage = await openStage({}, { tryIt: true });
    await stage.operator('olga');
    await stage.user('ada');
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const kills = (page: Page) => page.getByRole('button', { name: /^Kill worker/ });
  const twoWorkers = (page: Page) =>
    eventually(
      'two workers serve',
      async () => (await kills(page).count()) === 2 && (await kills(page).last().isEnabled()),
      30_000,
    );
  const openQueues = async () => (await stage.world.stores.userQueues.countPending()).requests;

  /** The statuses of what was answered since. */
  const responsesOf = (page: Page, path: string): number[] => {
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith(path)) statuses.push(response.status());
    });
    return statuses;
  };

  test('users race, a worker is killed, the order is kept, and nothing is left', async () => {
    const { page, faults } = await stage.openPage({ path: '#/try-it' });
    await stage.logIn(page, 'olga');
    await twoWorkers(page);
    const overviews = responsesOf(page, '/overview');
    await page.getByLabel('Users').fill('4');
    await page.getByLabel('Requests in a burst').fill('100');
    await page.getByRole('button', { name: 'Start the race' }).click();
    await page.locator('.racer', { hasText: 'dan' }).getByText('✓ in order').waitFor();
    await eventually('all have settled some', async () =>
      (await page.locator('.racer .counts').allTextContents()).every((text) => !text.startsWith('0 of')),
    );
    await kills(page).first().click();
    await page.getByText('The failover is over, and the order was kept.').waitFor({ timeout: 20_000 });
    expect(await page.getByText('No request was lost, settled twice or overtaken.').count()).toBe(1);
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop sending' }).click();
    await page.getByText('Everything that was sent is settled.').waitFor({ timeout: 20_000 });
    expect(await page.getByText('✓ in order').count()).toBe(4);
    await page.getByRole('button', { name: 'Clean up' }).click();
    await page.getByText('Start the race: each user').waitFor();
    await eventually('the queues of the race are closed', async () => (await openQueues()) === 0);
    // The primary has started another one.
    await twoWorkers(page);
    // The page follows the stream that all pages share.
    expect(overviews).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('when a user cannot register, those that could leave, and the next start works', async () => {
    const { page } = await stage.openPage({ path: '#/try-it' });
    await stage.logIn(page, 'olga');
    await page.getByLabel('Users').fill('2');
    const left = responsesOf(page, '/disconnect');
    await page.route('**/register', (route) => {
      const body = route.request().postDataJSON();
      const isRefused = body.username.startsWith('ben');
      return route.continue(isRefused ? { postData: JSON.stringify({ ...body, username: '' }) } : {});
    });
    const start = page.getByRole('button', { name: 'Start the race' });
    await start.click();
    await page.getByRole('alert').getByText('username').waitFor();
    expect(left).toEqual([200]);
    await page.unroute('**/register');
    await start.click();
    await page.getByText('✓ in order').nth(1).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: 'Clean up' }).click();
    await page.getByText('Start the race: each user').waitFor();
    await page.close();
  });

  test('whoever leaves the page leaves no sessions behind', async () => {
    const { page } = await stage.openPage({ path: '#/try-it' });
    await stage.logIn(page, 'olga');
    await page.getByLabel('Users').fill('2');
    const left = responsesOf(page, '/disconnect');
    await page.getByRole('button', { name: 'Start the race' }).click();
    await page.getByText('✓ in order').first().waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await eventually('both are disconnected', () => left.length === 2);
    await page.close();
  });

  test('whoever leaves the page while the users register leaves no sessions behind, and nothing is sent', async () => {
    const { page } = await stage.openPage({ path: '#/try-it' });
    await stage.logIn(page, 'olga');
    await page.getByLabel('Users').fill('2');
    const left = responsesOf(page, '/disconnect');
    const sent = responsesOf(page, '/enqueue');
    const registered = Promise.withResolvers<void>();
    await page.route('**/register', async (route) => {
      await registered.promise;
      await route.continue();
    });
    await page.getByRole('button', { name: 'Start the race' }).click();
    await page.getByText('Users register and log in…').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Who waits longest' }).waitFor();
    registered.resolve();
    await eventually('both are disconnected', () => left.length === 2);
    expect(sent).toEqual([]);
    await page.close();
  });

  test('a user has no such page', async () => {
    const { page } = await stage.openPage({ path: '#/try-it' });
    await stage.logIn(page, 'ada');
    await page.getByRole('heading', { name: 'My queue' }).waitFor();
    expect(await page.getByRole('link', { name: 'Try it' }).count()).toBe(0);
    await page.close();
  });
});
