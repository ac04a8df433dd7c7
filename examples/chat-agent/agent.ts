/** The agent: it keeps a shopping list. In the place of `answerTo`, call your model with the conversation. */
import { env } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from './memory.ts';

/** In the place of the time that a model needs. */
const thinkMs = Number(env.THINK_MS ?? 300);

const listAfter = (messages: string[]): string[] => {
  const items = new Set<string>();
  for (const message of messages) {
    const [, verb, item = ''] = /^(add|remove) (.+)$/i.exec(message) ?? [];
    if (verb?.toLowerCase() === 'add') items.add(item);
    if (verb?.toLowerCase() === 'remove') items.delete(item);
  }
  return [...items];
};

/** @param before the conversation so far. Each message is answered after the one before it, so nothing is missing. */
export const answerTo = async (message: string, before: Turn[], signal: AbortSignal): Promise<string> => {
  await sleep(thinkMs, undefined, { signal });
  const items = listAfter([...before.map((turn) => turn.message), message]);
  if (/\?$/.test(message)) return items.length > 0 ? `You need ${items.join(', ')}.` : 'You need nothing.';
  if (/^(add|remove) /i.test(message)) return `Noted, ${items.length} on the list.`;
  return 'Say "add milk", "remove milk" or "what do I need?".';
};
