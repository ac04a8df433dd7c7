/** `npm run migrate`: creates the indexes that this version needs and the database lacks. Also runs in the image. */
import { env, stdout } from 'node:process';
import { loadConfig } from '../lib/config.ts';
import { resolveSecrets } from '../lib/secrets.ts';
import { migrateDatabase } from '../lib/store/stores.ts';
import { chosenMongodbUrl, runTool } from './run-tool.ts';

await runTool(async () => {
  const given = await resolveSecrets(env, 'consumer');
  const config = loadConfig({ ...given, MONGODB_URL: given.MONGODB_URL || chosenMongodbUrl() }, 'consumer');
  const created = await migrateDatabase(config);
  for (const name of created) stdout.write(`created the index ${name}\n`);
  stdout.write(created.length === 0 ? 'nothing to do: all indexes are there\n' : 'all indexes are there\n');
});
