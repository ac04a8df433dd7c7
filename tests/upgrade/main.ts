/** `npm run test:upgrade -- --from COMMIT`: an earlier version and this one side by side. See tests/README.md. */
import { join } from 'node:path';
import { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { root } from '../../tools/run-tool.ts';
import { checkOut, commitOf } from './checkout.ts';
import { runUpgrade } from './roll.ts';

const print = (line: string): void => void stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    peaceful: { type: 'boolean', default: false },
    out: { type: 'string', default: join(root, '.data', 'upgrade') },
  },
});

/** Resolves to whether every guarantee was kept. */
const run = async (): Promise<boolean> => {
  const commit = await commitOf(values.from);
  using earlier = await checkOut(commit);
  print(`from ${commit} to this checkout and back; seed ${values.seed}`);
  const folder = join(values.out, commit.slice(0, 12));
  const versions = { from: earlier.folder, to: root };
  const how = { seed: Number(values.seed), withFaults: !values.peaceful };
  const result = await runUpgrade({ ...versions, ...how, folder, say: print });
  const { violations, counts, replaced, seconds, historyFile } = result;
  const numbers = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  print(`${numbers.join(', ')}\nhistory: ${historyFile}`);
  for (const { kind, userId, seq, detail } of violations) print(`VIOLATION ${kind} ${userId} ${seq ?? ''}: ${detail}`);
  print(`${replaced} processes replaced in ${seconds} s, ${violations.length} violations`);
  return violations.length === 0;
};
exit((await run()) ? 0 : 1);
