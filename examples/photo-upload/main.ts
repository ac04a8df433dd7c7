/** `node examples/photo-upload/main.ts`: Lanekeeper, and a page that uploads photos, until Ctrl-C. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { startLanekeeper } from '../support/start-lanekeeper.ts';
import { servePage } from './serve.ts';

const folder = env.PHOTOS || join(tmpdir(), 'lanekeeper-photos');
mkdirSync(folder, { recursive: true });
let apiUrl = '';
const page = await servePage({ port: Number(env.PAGE_PORT ?? 8080), folder, apiUrl: () => apiUrl });

// The page has another origin than the API. The processor reads photos where the page has put them.
const settings = { CORS_ORIGINS: page.url, PHOTOS_URL: `${page.url}/photos` };
const lanekeeper = await startLanekeeper(fileURLToPath(new URL('processor.ts', import.meta.url)), settings);
apiUrl = lanekeeper.url;
process.stdout.write(`Open ${page.url}\n`);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await lanekeeper.stop();
page.close();
