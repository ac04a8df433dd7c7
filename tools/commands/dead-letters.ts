/** `lanekeeper dead-letters [list | retry | drop]`: requests that failed for good, or that wait for a person. */
import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import { type DeadLetterReason, deadLetterReasons } from '../../lib/types.ts';
import {
  type ConnectionOptions,
  type DeadLetter,
  type Decided,
  type OperatorCalls,
  type Selection,
  wholeNumber,
  withCalls,
  withConnection,
} from '../operators/calls.ts';
import { ago, printJson, printTable, say } from '../operators/print.ts';
import { runTool } from '../run-tool.ts';

type Counts = Extract<Decided, { results?: undefined }>;

const pageSize = 100;

type Found = { deadLetters: DeadLetter[]; next?: string };
type ListOptions = ConnectionOptions & { after?: string; limit: number; reason?: DeadLetterReason };

/** Pages until there are as many as were asked for. `next`: more follow. */
const listAll = async (
  calls: OperatorCalls,
  user: string | undefined,
  { reason, after, limit }: ListOptions,
): Promise<Found> => {
  const found: Found = { deadLetters: [], next: after };
  do {
    const wanted = Math.min(pageSize, limit - found.deadLetters.length);
    const page = await calls.deadLetters({ user, reason, after: found.next, limit: wanted });
    found.deadLetters.push(...page.deadLetters);
    found.next = page.next;
  } while (found.next !== undefined && found.deadLetters.length < limit);
  return found;
};

const list = async (user: string | undefined, options: ListOptions): Promise<void> => {
  const found = await withCalls(options, (calls) => listAll(calls, user, options));
  if (options.json) return printJson(found);
  const { deadLetters, next } = found;
  if (deadLetters.length === 0) return say('There are no dead letters.');
  const rows = deadLetters.map((one) => [
    one.user ?? one.userId,
    one.seq,
    one.status,
    one.reason,
    one.attempts,
    ago(one.at),
    one.error && `${one.error.name}: ${one.error.message}`,
  ]);
  printTable(['USER', 'SEQ', 'STATUS', 'REASON', 'ATTEMPTS', 'WHEN', 'ERROR'], rows);
  if (next !== undefined) say(`More may follow: --after ${next}`);
};

/** One call decides about as many as fit in its time, and says where the next one goes on. */
const decideAll = async (calls: OperatorCalls, decision: 'retry' | 'drop', selection: Selection): Promise<Decided> => {
  const total: Counts = { decided: 0, refused: 0, refusedBy: {} };
  for (let after: string | undefined; ; ) {
    const answer = await calls.decide(decision, { ...selection, after });
    if (answer.results) return answer;
    total.decided += answer.decided;
    total.refused += answer.refused;
    for (const [code, count] of Object.entries(answer.refusedBy))
      total.refusedBy[code] = (total.refusedBy[code] ?? 0) + count;
    after = answer.next;
    if (after === undefined) return total;
  }
};

const done = { retry: 'retried', drop: 'dropped' } as const;

const isRefused = (answer: Decided): boolean =>
  answer.results ? answer.results.some(({ result }) => result === 'refused') : answer.refused > 0;

const report = (decision: 'retry' | 'drop', answer: Decided): void => {
  if (!answer.results) {
    say(`${answer.decided} ${done[decision]}, ${answer.refused} refused`);
    for (const [code, count] of Object.entries(answer.refusedBy)) say(`  ${count} ${code}`);
    return;
  }
  for (const { seq, result, retriedAs, detail } of answer.results) {
    const again = retriedAs === undefined || retriedAs === seq ? '' : ` as request ${retriedAs}`;
    say(detail === undefined ? `request ${seq}: ${result}${again}` : styleText('red', `request ${seq}: ${detail}`));
  }
};

const selectionOf = (user: string | undefined, seqs: number[], all: true | undefined): Selection => {
  if ((user === undefined) !== (all === true)) throw new Error('Name a user, or say --all.');
  if (user === undefined) return { all: true };
  return seqs.length > 0 ? { items: seqs.map((seq) => ({ user, seq })) } : { user };
};

const decide = async (
  decision: 'retry' | 'drop',
  [user, seqs]: [string | undefined, number[]],
  { all, ...options }: ConnectionOptions & { all?: true },
): Promise<number> => {
  const selection = selectionOf(user, seqs, all);
  const answer = await withCalls(options, (calls) => decideAll(calls, decision, selection));
  if (options.json) printJson(answer);
  else report(decision, answer);
  return isRefused(answer) ? 1 : 0;
};

const whom = 'user name, reference or user id';

const decisionCommand = (decision: 'retry' | 'drop', about: string): Command =>
  withConnection(new Command(decision))
    .description(about)
    .argument('[user]', whom)
    .argument(
      '[seq...]',
      'the requests; default all dead letters of the user',
      (text, before: number[] | undefined) => [...(before ?? []), wholeNumber(1)(text)],
    )
    .option('--all', 'those of all users')
    .action((user, seqs, options) => runTool(() => decide(decision, [user, seqs ?? []], options)));

export const command = (): Command =>
  new Command()
    .addCommand(
      withConnection(new Command('list'))
        .description('list dead letters, oldest first')
        .argument('[user]', `${whom}; default all users`)
        .addOption(new Option('--reason <reason>', 'only those with this reason').choices(deadLetterReasons))
        .option('--after <cursor>', 'only those after an earlier list, which says where it ended')
        .option('--limit <number>', 'how many at most', wholeNumber(1, 1_000_000), 100)
        .action((user, options) => runTool(() => list(user, options))),
      { isDefault: true },
    )
    .addCommand(decisionCommand('retry', 'run dead letters again, those of each user in their order'))
    .addCommand(decisionCommand('drop', 'take dead letters off the list, for ever'));
