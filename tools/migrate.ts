/** `npm run migrate`: creates the indexes that this version needs and the database lacks. Also runs in the image. */
import { stdout } from 'node:process';
import { migrateDatabase } from '../lib/store/stores.ts';
import { runTool } from './run-tool.ts';
import { loadStoreConfig } from './store-config.ts';

await runTool(async () => {
  const created = await migrateDatabase(await loadStoreConfig());
  for (const name of created) stdout.write(`created the index ${name}\n`);
  stdout.write(created.length === 0 ? 'nothing to do: all indexes are there\n' : 'all indexes are there\n');
});
