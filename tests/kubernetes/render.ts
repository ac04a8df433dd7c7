/** `npm run render:kubernetes`: writes `deploy/kubernetes/rendered`, the chart with its own values. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { getHelm, renderChart, rendered } from './helm.ts';

const helm = await getHelm();
if ('reason' in helm) {
  stderr.write(`${helm.reason}\n`);
  process.exit(1);
}
const files = await renderChart(helm.path);
rmSync(rendered, { recursive: true, force: true });
mkdirSync(rendered, { recursive: true });
for (const [name, text] of files) writeFileSync(join(rendered, name), text);
stdout.write(`${files.size} files in ${rendered}\n`);
