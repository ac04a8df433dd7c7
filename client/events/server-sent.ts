/** Reads Server-Sent Events from the body of an answer. */
import { within } from './source.ts';

export type ServerSent = { id?: string; type?: string; data?: string };

/** A block's lines. A comment is a block without fields. */
const messageOf = (block: string): ServerSent => {
  const fields = block.split(/\r?\n/).map((line): [string, string] => {
    const end = line.indexOf(':');
    return end < 0 ? [line, ''] : [line.slice(0, end), line.slice(end + 1).replace(/^ /, '')];
  });
  const { id, event } = Object.fromEntries(fields) as { id?: string; event?: string };
  const data = fields.filter(([name]) => name === 'data').map(([, value]) => value);
  return { id, type: event, data: data.length > 0 ? data.join('\n') : undefined };
};

/** Far above the largest event. */
const longestBlock = 1_048_576;

/**
 * Ends with the body; what it has of a last block is dropped.
 *
 * @throws {TimedOut} when no byte, not even a comment, comes for `quietMs`. `firstMs` is the same for the first byte.
 */
export async function* readServerSent(
  body: ReadableStream<Uint8Array>,
  { firstMs, quietMs }: { firstMs: number; quietMs: number },
): AsyncGenerator<ServerSent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let ms = firstMs; ; ms = quietMs) {
      const { done, value } = await within(reader.read(), ms, 'The stream was quiet');
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      if (rest.length > longestBlock) throw new Error('An event is too large.');
      for (const block of blocks) yield messageOf(block);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
