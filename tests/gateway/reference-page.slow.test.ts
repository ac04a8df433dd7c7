/** The reference page in a browser. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findBinary } from '../../tools/services/processes.ts';
import { type ApiProcess, startApi } from '../http/api-process.ts';

jest.setTimeout(120_000);

const program = findBinary('chromium', []);
const why = program ? '' : ' (skipped: chromium is not installed)';

(program ? describe : describe.skip)(`the reference page${why}`, () => {
  let api: ApiProcess;
  let browser: Browser;
  beforeAll(async () => {
    api = await startApi(['functions/api.ts']);
    const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: program, args });
  });
  afterAll(async () => {
    await browser?.close();
    await api?.end();
  });

  /** Opens the page. Collects its console errors and its requests to other hosts. */
  const open = async (hash: string, colorScheme: 'light' | 'dark', width: number) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    page.setDefaultTimeout(60_000);
    const own = `http://127.0.0.1:${api.port}/`;
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(own) && !request.url().startsWith('data:')) faults.push(request.url());
    });
    await page.goto(`${own}docs${hash}`);
    await page.getByRole('heading', { name: 'Lanekeeper' }).waitFor();
    return { page, faults };
  };

  const widthOf = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth');

  test.each<['light' | 'dark', number]>([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ])('shows the calls without an error and without another host, %s, %i pixels wide', async (colors, width) => {
    const { page, faults } = await open('', colors, width);
    await page.getByText('/register').first().waitFor();
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(colors === 'light' ? 'rgb(255, 255, 255)' : 'rgb(15, 15, 15)');
    expect(faults).toEqual([]);
  });

  test('calls the API that serves it', async () => {
    const { page, faults } = await open('#tag/health/GET/livez', 'light', 1280);
    await page.getByRole('button', { name: /Test Request.*livez/ }).click();
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/livez')),
      page.getByRole('button', { name: /Send get request to/ }).click(),
    ]);
    expect(answer.status()).toBe(200);
    expect(faults).toEqual([]);
  });
});
