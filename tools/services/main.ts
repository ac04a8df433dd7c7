/** `npm run services [-- --yes]` and `npm run services:stop`. */
import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { resolveSecrets } from '../../lib/secrets.ts';
import { root, runTool, say } from '../run-tool.ts';
import { ensureServices, stopServices } from './ensure.ts';

await runTool(async () => {
  const { values } = parseArgs({ options: { stop: { type: 'boolean' }, yes: { type: 'boolean' } } });
  if (values.stop) return stopServices({ root, say });
  const given = await resolveSecrets(env, 'consumer');
  await ensureServices({ root, env: given, say, yes: values.yes, explain: true });
});
