/** How events arrive through connections that break, hosts that cannot stream and proxies that keep answers back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { follow } from '../../client/events/follow.ts';
import { readServerSent, type ServerSent } from '../../client/events/server-sent.ts';
import { type OpenSource, TimedOut } from '../../client/events/source.ts';
import { connect } from '../../client/index.ts';
import type { LaneEvent } from '../../client/types.ts';
import { startHttpServer } from '../support/http-server.ts';

const bodyOf = (chunks: Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

const allOf = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const times = { firstMs: 1_000, quietMs: 1_000 };
const read = (...chunks: Uint8Array[]): Promise<ServerSent[]> => allOf(readServerSent(bodyOf(chunks), times));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Server-Sent Events', () => {
  test('have fields, comments, and data of several lines', async () => {
    const text = 'retry: 1000\n\n: \n\nid: 3.4\nevent: queue\ndata: {"a":\ndata: 1}\n\nid:5\n\n';
    expect(await read(bytes(text))).toEqual([
      { id: undefined, type: undefined, data: undefined },
      { id: undefined, type: undefined, data: undefined },
      { id: '3.4', type: 'queue', data: '{"a":\n1}' },
      { id: '5', type: undefined, data: undefined },
    ]);
  });

  test('are the same wherever the chunks end, and an event that is cut off is none', async () => {
    const text =
      'event: settled\r\nid: 1\r\ndata: {"name":"Zoë 🚀"}\r\n\r\nevent: queue\ndata: {}\n\nevent: settled\nid: 2\ndata: {"x"';
    const whole = await read(bytes(text));
    expect(whole.map(({ type }) => type)).toEqual(['settled', 'queue']);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes(text).length)), async (ends) => {
        const cuts = [0, ...ends.sort((a, b) => a - b), bytes(text).length];
        const chunks = cuts.slice(1).map((end, index) => bytes(text).slice(cuts[index], end));
        expect(await read(...chunks)).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  test('must not be quiet for longer than the heartbeat', async () => {
    const silent = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(bytes(': \n\n')) });
    const reading = allOf(readServerSent(silent, { firstMs: 1_000, quietMs: 20 }));
    await expect(reading).rejects.toBeInstanceOf(TimedOut);
  });
});

const settled = (seq: number): LaneEvent => ({
  type: 'settled',
  id: String(seq),
  request: { seq, status: 'done', attempts: 1, acceptedAt: '2026-01-01T00:00:00.000Z', result: null },
});
const signal = new AbortController().signal;

describe('following', () => {
  test('goes on behind the last event, whatever ends a connection', async () => {
    const cursors: string[] = [];
    const open: OpenSource = async function* ({ cursor }) {
      cursors.push(cursor);
      const next = Number(cursor) + 1;
      yield { id: String(next), event: settled(next) };
      if (next % 2 === 0) throw new Error('The connection broke.');
    };
    const seen: string[] = [];
    for await (const event of follow(open, { after: '0', signal })) {
      if (event.type === 'settled') seen.push(event.id);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(['1', '2', '3', '4']);
    expect(cursors).toEqual(['0', '1', '2', '3']);
  });

  test('tells of a queue only when it has changed', async () => {
    const queue = { accepted: 1, settled: 0, pending: 1, state: 'open' } as const;
    const open: OpenSource = async function* () {
      yield { event: { type: 'queue', queue } };
      yield { event: { type: 'queue', queue: { ...queue } } };
      yield { event: { type: 'queue', queue: { ...queue, settled: 1, pending: 0 } } };
    };
    const events = follow(open, { after: '0', signal });
    expect((await events.next()).value).toMatchObject({ queue: { settled: 0 } });
    expect((await events.next()).value).toMatchObject({ queue: { settled: 1 } });
    await events.return(undefined);
  });
});

const requestJson = (seq: number) => ({
  seq,
  status: 'done',
  attempts: 1,
  acceptedAt: '2026-01-01T00:00:00.000Z',
  result: seq,
});
const queue = { accepted: 2, settled: 0, pending: 2, state: 'open', lane: 1 };

/** An API whose `/events` answers as told; each call is kept. */
const serve = async (events: (response: ServerResponse, query: URLSearchParams, request: IncomingMessage) => void) => {
  const asked: string[] = [];
  const server = await startHttpServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (pathname !== '/events')
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(queue));
    asked.push(`${request.headers.accept} ${searchParams}`);
    events(response, searchParams, request);
  });
  return Object.assign(server, { asked });
};

const page = (response: ServerResponse, seqs: number[], next: string): void => {
  const events = seqs.map((seq) => ({ id: String(seq), type: 'settled', request: requestJson(seq) }));
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ events, next, queue }));
};

const settledSeqs = async (url: string, count: number): Promise<number[]> => {
  const lk = await connect(url, { token: 't' });
  const seqs: number[] = [];
  for await (const event of lk.events()) {
    if (event.type === 'settled') seqs.push(event.request.seq);
    if (seqs.length === count) break;
  }
  lk.close();
  return seqs;
};

describe('the transport', () => {
  test('is calls that wait where a host answers with JSON', async () => {
    await using server = await serve((response, query) => {
      const after = Number(query.get('after'));
      page(response, query.has('wait') ? [after + 1] : [], String(query.has('wait') ? after + 1 : after));
    });
    expect(await settledSeqs(server.url, 2)).toEqual([1, 2]);
    const waiting = 'application/json after=';
    expect(server.asked).toEqual(['text/event-stream after=0', `${waiting}0&wait=20`, `${waiting}1&wait=20`]);
  });

  test('is calls that wait where a proxy keeps the stream back', async () => {
    await using server = await serve((response, query) => {
      if (query.has('wait')) return page(response, [1, 2], '2');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    expect(await settledSeqs(server.url, 2)).toEqual([1, 2]);
    expect(server.asked).toEqual(['text/event-stream after=0', 'application/json after=0&wait=20']);
  }, 20_000);

  test('is a stream that is resumed where it broke, in the middle of an event', async () => {
    await using server = await serve((response, query) => {
      const seq = Number(query.get('after')) + 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `id: ${seq}\nevent: settled\ndata: ${JSON.stringify({ request: requestJson(seq) })}\n\n`;
      response.write(`retry: 1000\n\n${event}id: ${seq + 1}\nevent: settled\ndata: {"reque`, () =>
        response.socket?.destroy(),
      );
    });
    expect(await settledSeqs(server.url, 3)).toEqual([1, 2, 3]);
    expect(server.asked).toEqual(['0', '1', '2'].map((after) => `text/event-stream after=${after}`));
  });

  test('ends with the refusal when the API refuses for good', async () => {
    await using server = await serve((response) => {
      const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'session-ended' };
      response.writeHead(401, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    await expect(settledSeqs(server.url, 1)).rejects.toMatchObject({ problem: { code: 'session-ended' } });
    expect(server.asked).toHaveLength(1);
  });
});
