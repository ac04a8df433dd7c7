/** `npm run bundle`: all that a program starts by name works from the bundles, with no package beside them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, beforeAll, jest, test } from '@jest/globals';
import { root, run } from '../runs/support/installed-package.ts';
import { serveRequests, typedProcessor } from '../runs/support/served-requests.ts';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-bundle-'));
const app = join(folder, 'app');

beforeAll(() => run(execPath, [join(root, 'tools', 'bundle.ts'), app]), 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['one process', '1'],
  ['two workers', '2'],
])(
  'the API as %s and a consumer serve requests with a typed processor, in threads and isolated processes',
  async (_, workers) => {
    writeFileSync(join(app, 'processor.ts'), typedProcessor);
    const start = { node: execPath, script: join(app, 'tools', 'lanekeeper.js'), cwd: app };
    await serveRequests(start, { PROCESSOR: './processor.ts', API_WORKERS: workers });
  },
);
