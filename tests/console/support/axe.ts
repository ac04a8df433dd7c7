import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe finds, as `rule: element`. */
export const violationsOn = async (page: Page): Promise<string[]> => {
  // As an expression: the page allows no inline script.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(`${axe.source}; undefined`);
  await page.emulateMedia({ colorScheme: 'light' });
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await page.evaluate<axe.AxeResults>("axe.run({ runOnly: ['color-contrast'] })");
  violations.push(...dark.violations);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
};
