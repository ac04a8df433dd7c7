/** Takes the pictures of docs/console/: every page, light and dark, 1280 and 390 pixels wide. Nothing may be wider than the window. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/world.ts';
import { chromiumProgram, openStage } from './support/stage.ts';

jest.setTimeout(300_000);

const folder = fileURLToPath(new URL('../../docs/console/', import.meta.url));
const why = chromiumProgram ? '' : ' (skipped: chromium is not installed)';

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

  test.each<[string, number, boolean]>([
    ['light', 1280, false],
    ['dark', 1280, true],
    ['light', 390, false],
    ['dark', 390, true],
  ])('%s, %i pixels wide', async (colors, width, dark) => {
    const { page, faults } = await stage.openPage({ width, dark });
    const picture = async (name: string) => {
      expect([name, await page.evaluate<number>('document.documentElement.scrollWidth')]).toEqual([name, width]);
      await page.screenshot({ path: `${folder}${name}-${colors}-${width}.png`, fullPage: true });
    };
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await picture('login');
    await stage.logIn(page, 'olga');
    await page.getByText('somebody must decide').first().waitFor();
    for (const [name, { path, ready }] of Object.entries(pages)) {
      await page.evaluate(`location.hash = ${JSON.stringify(path())}`);
      await page.getByText(ready).first().waitFor();
      await picture(name);
    }
    expect(faults).toEqual([]);
    await page.close();
  });
});
