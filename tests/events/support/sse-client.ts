/** A client of a stream of events, as simple as one can be: it knows nothing but the id of the last event that it has got. */
export type SseEvent = { id?: string; type: string; data: Record<string, unknown> };

type Field = [name: string, value: string];

const fieldOf = (line: string): Field => {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
};

/** `undefined` for a comment, and for what is no event. */
export const readEvent = (block: string): SseEvent | undefined => {
  const fields = block.split('\n').map(fieldOf);
  const last = (name: string) => fields.findLast(([is]) => is === name)?.[1];
  const data = fields.filter(([name]) => name === 'data').map(([, value]) => value);
  if (data.length === 0) return undefined;
  return { id: last('id'), type: last('event') ?? 'message', data: JSON.parse(data.join('\n')) };
};

export type Connection = {
  status: number;
  headers: Headers;
  /** Everything that came so far. */
  text(): string;
  /** Ends with the connection; rejects when it is cut off. */
  events(): AsyncGenerator<SseEvent, void, undefined>;
  close(): void;
};

export const connectTo = async (url: string, headers: Record<string, string>): Promise<Connection> => {
  const gone = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: gone.signal });
  const { body } = response;
  let received = '';
  async function* events(): AsyncGenerator<SseEvent, void, undefined> {
    let rest = '';
    for await (const part of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      received += part;
      const blocks = (rest + part).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = readEvent(block);
        if (event) yield event;
      }
    }
  }
  return {
    status: response.status,
    headers: response.headers,
    text: () => received,
    events,
    close: () => gone.abort(),
  };
};
