import { WebSocket } from 'ws';
import { eventually } from '../support/world.ts';

export type Frame = {
  id?: string | number;
  ok?: Record<string, unknown>;
  problem?: { code: string; status: number; detail?: string };
  event?: { id?: string; type: string; request?: Record<string, unknown>; queue?: Record<string, unknown> };
};

type Options = {
  headers?: Record<string, string>;
  /** What the client offers. By default the subprotocol and the token. */
  protocols?: string[];
  path?: string;
  /** Whether it answers pings. */
  autoPong?: boolean;
};

/** A client of the WebSocket API. @throws {Error} when the server refuses the handshake; its message begins with the HTTP status. */
export const openSocket = async (port: number, token: string, options: Options = {}) => {
  const { headers, protocols = ['lanekeeper', `token.${token}`], path = '/ws', autoPong = true } = options;
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers, autoPong });
  const frames: Frame[] = [];
  let asked = 0;
  ws.on('message', (data) => void frames.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve).once('error', reject);
    ws.once('unexpected-response', async (_request, response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      reject(new Error(`${response.statusCode} ${body}`));
    });
  });
  ws.on('error', () => undefined);
  const answerTo = (id: string | number): Promise<Frame> =>
    eventually(`an answer to ${id}`, () => frames.find((frame) => frame.id === id && !frame.event));
  return {
    protocol: ws.protocol,
    frames,
    closed,
    isOpen: () => ws.readyState === WebSocket.OPEN,
    sendText: (text: string | Buffer) => ws.send(text),
    answerTo,
    ask: (action: string, fields: object = {}): Promise<Frame> => {
      asked += 1;
      ws.send(JSON.stringify({ id: asked, action, ...fields }));
      return answerTo(asked);
    },
    events: () => frames.flatMap(({ event }) => event ?? []),
    /** Without a close frame, as when a client dies. */
    cut: () => ws.terminate(),
    /** Reads nothing more. */
    pause: () => ws.pause(),
    close: async () => {
      ws.close();
      await closed;
    },
  };
};

export type Socket = Awaited<ReturnType<typeof openSocket>>;
