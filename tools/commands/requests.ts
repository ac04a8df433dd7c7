/** `lanekeeper requests USER [SEQ] [cancel | retry | skip]`: the requests of a user, and what is decided about one. */
import { Argument, Command, Option } from 'commander';
import { requestStatuses } from '../../lib/types.ts';
import type { ShownEntry } from '../api-client.ts';
import {
  type ConnectionOptions,
  decisions,
  type OperatorCalls,
  type RequestDecision,
  wholeNumber,
  withCalls,
  withConnection,
} from '../operators/calls.ts';
import { ago, plain, printJson, printTable, say } from '../operators/print.ts';
import { runTool } from '../run-tool.ts';

type ListOptions = ConnectionOptions & { status?: string; after: number; limit: number };

const list = async (calls: OperatorCalls, user: string, { status, after, limit, json }: ListOptions): Promise<void> => {
  const page = await calls.requests(user, { status, after, limit });
  if (json) return printJson(page);
  if (page.requests.length > 0) {
    const rows = page.requests.map((one) => [one.seq, one.status, one.attempts, ago(one.acceptedAt), briefly(one)]);
    printTable(['SEQ', 'STATUS', 'ATTEMPTS', 'ACCEPTED', ''], rows);
  } else say('There are no such requests.');
  if (page.next !== undefined) say(`More may follow: --after ${page.next}`);
};

const briefly = ({ result, error, retryAt }: ShownEntry): string => {
  if (retryAt) return `next attempt at ${retryAt}`;
  if (error) return `${error.name}: ${error.message}`;
  return result === undefined ? '' : JSON.stringify(result);
};

/** A line for each field that the request has. */
const show = (entry: object): void => {
  for (const [name, value] of Object.entries(entry))
    say(`${name.padEnd(14)} ${plain(typeof value === 'string' ? value : JSON.stringify(value), 2_000)}`);
};

const requests = (
  user: string,
  seq: number | undefined,
  decision: RequestDecision | undefined,
  options: ListOptions,
): Promise<void> =>
  withCalls(options, async (calls) => {
    if (seq === undefined) return list(calls, user, options);
    const entry = decision ? await calls.decideRequest(decision, user, seq) : await calls.request(user, seq);
    if (options.json) printJson(entry);
    else show(entry);
  });

export const command = (): Command =>
  withConnection(new Command())
    .argument('<user>', 'user name, reference or user id')
    .argument('[seq]', 'one request; default a page of them', wholeNumber(1))
    .addArgument(new Argument('[decision]', 'what to do with that request').choices(decisions))
    .addOption(new Option('--status <status>', 'only requests with this status').choices(requestStatuses))
    .option('--after <seq>', 'only requests with a higher number', wholeNumber(0), 0)
    .option('--limit <number>', 'how many', wholeNumber(1, 100), 50)
    .action((user, seq, decision, options) => runTool(() => requests(user, seq, decision, options)));
