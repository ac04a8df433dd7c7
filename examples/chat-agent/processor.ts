/** Answers one message of a user. The next one waits, so that the agent never speaks about a conversation that it does not know yet. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { env } from 'node:process';
import { type Processor, UnrecoverableError } from 'lanekeeper';
import { answerTo } from './agent.ts';
import { openMemory } from './memory.ts';

const file = env.MEMORY_FILE || '.data/chat-agent.sqlite';
mkdirSync(dirname(file), { recursive: true });
const memory = openMemory(file);

export default (async (request, { user, seq, signal }) => {
  const { message } = request as { message?: string };
  if (typeof message !== 'string') throw new UnrecoverableError('A message is a text.');
  const { before, answer: earlier } = memory.recall(user, seq);
  // A message may come twice, when a worker died after its answer.
  const answer = earlier ?? (await answerTo(message, before, signal));
  memory.remember(user, seq, { message, answer });
  return { answer };
}) satisfies Processor;
