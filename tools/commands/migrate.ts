/** `lanekeeper migrate`: creates the indexes that this version needs and the database lacks, and names obsolete ones. */
import { stdout } from 'node:process';
import { Command } from 'commander';
import { runTool } from '../run-tool.ts';

const migrate = async (): Promise<void> => {
  const { migrateDatabase } = await import('../../lib/store/stores.ts');
  const { loadStoreConfig } = await import('../store-config.ts');
  const { created, obsolete } = await migrateDatabase(await loadStoreConfig());
  for (const name of created) stdout.write(`created the index ${name}\n`);
  for (const text of obsolete) stdout.write(`${text}\n`);
  stdout.write(
    created.length + obsolete.length === 0 ? 'nothing to do: all indexes are there\n' : 'all indexes are there\n',
  );
};

export const command = (): Command => new Command().action(() => runTool(migrate));
