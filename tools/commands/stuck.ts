/** `lanekeeper stuck`: users whose requests make no progress, and why. */
import { Command } from 'commander';
import { type ConnectionOptions, wholeNumber, withCalls, withConnection } from '../operators/calls.ts';
import { inWords, printJson, printTable, say } from '../operators/print.ts';
import { runTool } from '../run-tool.ts';

/** As many as the API lists. */
const most = 100;

const stuck = async ({ limit, ...options }: ConnectionOptions & { limit: number }): Promise<void> => {
  const found = await withCalls(options, (calls) => calls.stuck(limit));
  if (options.json) return printJson(found);
  if (found.stuck.length === 0) return say('No user is stuck.');
  const rows = found.stuck.map(({ user, userId, seq, reason, sinceMs, lane }) => [
    user ?? userId,
    seq,
    reason,
    inWords(sinceMs),
    lane,
  ]);
  printTable(['USER', 'SEQ', 'REASON', 'SINCE', 'LANE'], rows);
  if (rows.length < limit) return;
  say(limit < most ? `More may follow: --limit ${most}` : `More may follow. A list has ${most} at most.`);
};

export const command = (): Command =>
  withConnection(new Command())
    .option('--limit <number>', 'how many users, the longest stuck first', wholeNumber(1, most), 50)
    .action((options) => runTool(() => stuck(options)));
