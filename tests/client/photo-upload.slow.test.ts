/** The page that uploads photos, in a browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { connect } from '../../client/index.ts';
import { servePage } from '../../examples/photo-upload/serve.ts';
import type { Processor } from '../../lib/processor.ts';
import { findBinary } from '../../tools/services/processes.ts';
import { eventually } from '../support/world.ts';
import { openLanekeeper } from './support/lanekeeper.ts';

jest.setTimeout(180_000);

const program = findBinary('chromium', []);
const why = program ? '' : ' (skipped: chromium is not installed)';
const photos = 10;

/** A picture of one pixel, and a number of bytes that tells it apart. */
const photoOf = (number: number) => ({
  name: `photo-${number}.png`,
  mimeType: 'image/png',
  buffer: Buffer.concat([
    Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    ),
    Buffer.alloc(number * 1_000),
  ]),
});
const allPhotos = Array.from({ length: photos }, (_, index) => photoOf(index + 1));

(program ? describe : describe.skip)(`the page with photos${why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-photos-'));
  let lanekeeper: Awaited<ReturnType<typeof openLanekeeper>>;
  let site: Awaited<ReturnType<typeof servePage>>;
  let browser: Browser;
  /** How long the processor takes for one photo. */
  let workMs = 300;

  beforeAll(async () => {
    let apiUrl = '';
    site = await servePage({ port: 0, folder, apiUrl: () => apiUrl });
    process.env.PHOTOS_URL = `${site.url}/photos`;
    process.env.PHOTO_MS = '0';
    const { default: processPhoto } = await import('../../examples/photo-upload/processor.ts');
    const processor: Processor = async (request, context) => {
      await new Promise((resolve) => setTimeout(resolve, workMs));
      return (processPhoto as Processor)(request, context);
    };
    lanekeeper = await openLanekeeper(processor, { CORS_ORIGINS: site.url });
    apiUrl = lanekeeper.url;
    const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: program, args });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await lanekeeper?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const faults: string[] = [];
  const open = async (context: BrowserContext): Promise<Page> => {
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(site.url);
    await page.locator('#choose:not([disabled])').waitFor({ state: 'attached' });
    return page;
  };
  const choose = (page: Page, chosen = allPhotos) => page.setInputFiles('#choose', chosen);
  const doneOn = (page: Page): Promise<number> => page.locator('[data-status="done"]').count();
  const untilDone = (page: Page, count: number) =>
    eventually(`${count} photos are done`, async () => (await doneOn(page)) >= count, 90_000);

  /** Each photo was one request, in the order in which the photos were chosen, and the page shows all of them so. */
  const expectAll = async (page: Page): Promise<void> => {
    await untilDone(page, photos);
    const seqs = await page
      .locator('#photos li')
      .evaluateAll((items) =>
        items.map((item) => Number((item as unknown as { dataset: { seq: string } }).dataset.seq)),
      );
    expect(seqs).toEqual(Array.from({ length: photos }, (_, index) => index + 1));
    const account = await page.evaluate<string>("localStorage.getItem('account')");
    const lk = await connect(lanekeeper.url, JSON.parse(account));
    const { requests } = await lk.requests();
    expect(requests.map(({ status, result }) => [status, (result as { bytes: number }).bytes])).toEqual(
      allPhotos.map(({ buffer }) => ['done', buffer.length]),
    );
    lk.close();
    expect(faults).toEqual([]);
  };

  test('loses and repeats nothing when it is reloaded in the middle', async () => {
    workMs = 300;
    const context = await browser.newContext();
    const page = await open(context);
    await choose(page);
    await untilDone(page, 3);
    await page.reload();
    await expectAll(page);
    await context.close();
  });

  test('loses and repeats nothing when it is reloaded while it sends', async () => {
    const context = await browser.newContext();
    const page = await open(context);
    await choose(page);
    await page.reload();
    await expectAll(page);
    await context.close();
  });

  test('goes on after 10 s without a network, with the photos that were chosen meanwhile', async () => {
    workMs = 1_500;
    const context = await browser.newContext();
    const page = await open(context);
    await choose(page, allPhotos.slice(0, 5));
    await untilDone(page, 1);
    await context.setOffline(true);
    await choose(page, allPhotos.slice(5));
    await page.getByText('5 not sent yet').waitFor();
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    expect(await page.locator('#photos li').count()).toBe(5);
    await context.setOffline(false);
    workMs = 100;
    await expectAll(page);
    await context.close();
  });

  test('shows the same in two tabs', async () => {
    workMs = 200;
    const context = await browser.newContext();
    const [one, other] = [await open(context), await open(context)];
    await choose(one);
    await Promise.all([expectAll(one), expectAll(other)]);
    await context.close();
  });
});
