/** Takes the pictures of docs/console/: every page, light and dark, 1280 and 390 pixels wide. Nothing may be wider than the window. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../support/world.ts';
import { chromiumProgram, openStage } from './support/stage.ts';

jest.setTimeout(300_000);

const folder = fileURLToPath(new URL('../../docs/console/', import.meta.url));
const why = chromiumProgram ? '' : ' (skipped: chromium is not installed)';

type Variant = { colorScheme: 'light' | 'dark'; width: number };

const variants: Variant[] = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 390 },
  { colorScheme: 'dark', width: 390 },
];

const takePicture = async (page: Page, name: string, { colorScheme, width }: Variant): Promise<void> => {
  expect([name, await page.evaluate<number>('document.documentElement.scrollWidth')]).toEqual([name, width]);
  await page.screenshot({ path: `${folder}${name}-${colorScheme}-${width}.png`, fullPage: true });
};

(chromiumProgram ? describe : describe.skip)(`every page of the console${why}`, () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let blockedId = '';
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    stage = await openStage();
    const operator = await stage.operator('olga');
    await operator.enqueue('Your Message', { order: 17, items: ['pen', 'paper'] }, { hold: 'own' }, 'next', 'last');
    const blocked = await stage.user('ada');
    blockedId = blocked.userId;
    await blocked.enqueue('Your Message', { order: 18 }, { fail: 'card declined' }, { order: 19 }, { order: 20 });
    const names = ['ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo', 'ida', 'jon', 'kim', 'leo'];
    for (const [index, name] of names.entries()) {
      const user = await stage.user(name);
      const held = index < 4 ? [{ hold: 'others' }] : [];
      const failing = index === 5 ? [{ fail: 'address is not known' }] : [];
      await user.enqueue('first', 'second', ...held, ...failing, 'third');
    }
    await eventually('the last minute and all blocked users are counted', async () => {
      const [queue] = await stage.world.stores.userQueues.get([blockedId]);
      return queue?.settled === 2;
    });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const pages: Record<string, { path: () => string; ready: string }> = {
    overview: { path: () => '#/', ready: 'Who waits longest' },
    users: { path: () => '#/users', ready: 'ada' },
    user: { path: () => `#/users/id:${blockedId}`, ready: 'History' },
    request: { path: () => `#/users/id:${blockedId}/requests/3`, ready: 'Accepted' },
    'dead-letters': { path: () => '#/dead-letters', ready: 'What was asked for' },
    workers: { path: () => '#/workers', ready: 'Lane' },
    'my-queue': { path: () => '#/queue', ready: 'History' },
  };

  test.each(variants)('$colorScheme, $width pixels wide', async (variant) => {
    const { width, colorScheme } = variant;
    const { page, faults } = await stage.openPage({ width, dark: colorScheme === 'dark' });
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await takePicture(page, 'login', variant);
    await stage.logIn(page, 'olga');
    await page.getByText('somebody must decide').first().waitFor();
    for (const [name, { path, ready }] of Object.entries(pages)) {
      await page.evaluate(`location.hash = ${JSON.stringify(path())}`);
      await page.getByText(ready).first().waitFor();
      await takePicture(page, name, variant);
    }
    expect(faults).toEqual([]);
    await page.close();
  });
});

(chromiumProgram ? test : test.skip)(`the page "Try it", after a failover${why}`, async () => {
  await using stage = await openStage({}, { tryIt: true });
  await stage.operator('olga');
  const { page, faults } = await stage.openPage({ path: '#/try-it' });
  await stage.logIn(page, 'olga');
  const kills = page.getByRole('button', { name: /^Kill worker/ });
  const areTwo = async () => (await kills.count()) === 2 && (await kills.last().isEnabled());
  await eventually('two workers serve', areTwo, 30_000);
  await page.getByLabel('Users').fill('5');
  await page.getByRole('button', { name: 'Start the race' }).click();
  await page.locator('.racer', { hasText: 'eve' }).getByText('✓ in order').waitFor();
  await kills.first().click();
  await page.getByText('The failover is over, and the order was kept.').waitFor({ timeout: 30_000 });
  for (const variant of variants) {
    const { colorScheme, width } = variant;
    await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
    await page.emulateMedia({ colorScheme });
    await takePicture(page, 'try-it', variant);
  }
  await page.getByRole('button', { name: 'Stop sending' }).click();
  await page.getByText('Everything that was sent is settled.').waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Clean up' }).click();
  await page.getByText('Start the race: each user').waitFor();
  expect(faults).toEqual([]);
});
