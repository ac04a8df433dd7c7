/** The console with much to show, and for longer than a session. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/world.ts';
import { chromiumProgram, openStage, type StageUser } from './support/stage.ts';

jest.setTimeout(300_000);

const why = chromiumProgram ? '' : ' (skipped: chromium is not installed)';
const pending = 10_000;
const sessionSeconds = 5;

(chromiumProgram ? describe : describe.skip)(`the console${why}`, () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let ada: StageUser;
  beforeAll(async () => {
    stage = await openStage({ TOKEN_TTL_SECONDS: String(sessionSeconds) });
    await stage.operator('olga');
    ada = await stage.user('ada');
    await ada.enqueue({ hold: 'ada' });
    await ada.enqueueMany(Array.from({ length: pending - 1 }, (_, index) => ({ order: index })));
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test(`shows a user with ${pending} pending requests within five seconds, and stays quick`, async () => {
    const { page, faults } = await stage.openPage();
    await stage.logIn(page, 'olga');
    const asked = performance.now();
    await page.evaluate(`location.hash = '#/users/id:${ada.userId}'`);
    await page.getByText(/9,900 are behind these/).waitFor({ timeout: 30_000 });
    expect(performance.now() - asked).toBeLessThan(5_000);
    const clicked = performance.now();
    await page.getByText(/are behind these/).click();
    await page.getByText(/9,800 are behind these/).waitFor();
    expect(performance.now() - clicked).toBeLessThan(1_000);
    expect(faults).toEqual([]);
    await page.close();
  });

  test(`cancels all that wait of ${pending} requests in one go, and shows them`, async () => {
    const { page, faults } = await stage.openPage({ path: `#/users/id:${ada.userId}` });
    await stage.logIn(page, 'olga');
    const calls: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/requests/cancel')) calls.push(request.url());
    });
    await page.getByRole('button', { name: 'Cancel all that wait' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel all that wait' }).click();
    await eventually('one request is pending', async () => (await page.locator('tbody tr').count()) === 1, 60_000);
    await page.getByText('Request 1 runs').waitFor();
    expect(calls.length).toBeLessThan(10);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('shows a request of 256 KiB', async () => {
    const user = await stage.user('ben');
    await user.enqueue({ text: 'x'.repeat(260_000) });
    const { page, faults } = await stage.openPage({ path: '#/queue' });
    await stage.logIn(page, 'ben');
    await page.getByRole('link', { name: 'Request 1' }).click();
    await page.getByText('Settled: done').waitFor();
    expect(await page.getByLabel('Result, as JSON').textContent()).toContain('xxx');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1_280);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('a page goes on when the session of its login has ended', async () => {
    await stage.user('cleo');
    const { page } = await stage.openPage({ path: '#/queue' });
    const logins: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/login')) logins.push(request.url());
    });
    await stage.logIn(page, 'cleo');
    await eventually('the page logs in again', () => logins.length > 1, 30_000);
    await page.getByRole('button', { name: 'Enqueue' }).click();
    await page.locator('.history li', { hasText: 'Request 1' }).waitFor();
    await page.close();
  });
});
