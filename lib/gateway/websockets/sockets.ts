/** The WebSocket API of the gateway: it calls the same function with the same events as API Gateway does. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Context } from 'aws-lambda';
import { type WebSocket, WebSocketServer } from 'ws';
import { createBatcher } from '../../batcher.ts';
import type { Config } from '../../config.ts';
import { BusyError } from '../../errors.ts';
import type { Reply } from '../../http/call.ts';
import { maxEnqueueTextBytes } from '../../http/input.ts';
import { problemReply } from '../../http/problem.ts';
import { trustsNoProxy } from '../../trusted-proxies.ts';
import type { SocketContext } from '../../websocket/socket-call.ts';
import { subprotocol } from '../../websocket/token.ts';
import { DrainingError, NoSuchRouteError } from '../errors.ts';
import type { UploadRoom } from '../upload-room.ts';
import { answerMessages, closeCodes } from './frames.ts';
import { type HeartbeatDeps, startHeartbeat } from './heartbeat.ts';
import { closeGently, createRegistry, type Entry } from './registry.ts';
import { connectEvent, disconnectEvent, messageEvent, type SocketEvent } from './socket-event.ts';
import { checkHandshake, pathOf, refuse, refuseWith, websocketPath } from './upgrade.ts';

export type SocketHandler = (event: SocketEvent, context: Context) => Promise<Reply>;

export type SocketDeps = HeartbeatDeps & {
  config: Pick<Config, 'maxWebsockets' | 'maxUserWebsockets' | 'trustedProxies'>;
};

/** Sessions that are ended at a time, when many connections close together. */
const endsAtATime = 32;

const goingAway = { code: closeCodes.goingAway, reason: 'This instance is stopping.' };

/** For the answers under way, and for those to a close. */
const closedWithinMs = 1_000;

export type Sockets = {
  /** How many connections there are. */
  open(): number;
  /**
   * Accepts no new connection and closes all. Their sessions are left to expire: until then their clients are connected to another
   * process.
   */
  drain(): void;
};

/** Serves `/ws` of `server`. */
export const serveSockets = (server: Server, handler: SocketHandler, room: UploadRoom, deps: SocketDeps): Sockets => {
  const { config, log } = deps;
  const { entries, connections } = createRegistry(config);
  const context: SocketContext = { connections };
  const call = (event: SocketEvent): Promise<Reply> => handler(event, context as unknown as Context);
  const options = { noServer: true, clientTracking: false, maxPayload: maxEnqueueTextBytes };
  const handshake = new WebSocketServer({ ...options, handleProtocols: (all) => all.has(subprotocol) && subprotocol });
  const stopHeartbeat = startHeartbeat(entries, deps);
  let isDraining = false;
  let opening = 0;

  const endOne = createBatcher<string, void>(
    async ([id]) => {
      await call(disconnectEvent(id as string));
      return [undefined];
    },
    { maxItems: 1, maxInFlight: endsAtATime },
  );
  /** If MongoDB does not answer, the session expires. */
  const end = async (id: string): Promise<void> => {
    if (!isDraining) await endOne(id);
    entries.delete(id);
  };

  const answer = async ({ connection }: Entry, text: string): Promise<string> => {
    try {
      return (await call(messageEvent(connection.id, text))).body ?? '';
    } catch (error) {
      log.error({ err: error }, 'gateway failed');
      return `{"problem":${problemReply(error).body}}`;
    }
  };

  const serve = (entry: Entry, ws: WebSocket, socket: Duplex): void => {
    entry.ws = ws;
    entry.line = answerMessages(ws, socket, room, {
      answer: async (text) => (entry.closing ? undefined : answer(entry, text)),
      answered: () => {
        if (entry.closing) closeGently(entry);
      },
    });
    ws.on('pong', () => {
      entry.isPinged = false;
      entry.isAlive = true;
    });
    // A frame that is none, or too large. The connection closes.
    ws.on('error', () => undefined);
    ws.once('close', () => void end(entry.connection.id));
  };

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    if (isDraining) throw new DrainingError();
    if (pathOf(request) !== websocketPath) throw new NoSuchRouteError();
    checkHandshake(request);
    if (entries.size + opening >= config.maxWebsockets)
      throw new BusyError(`${config.maxWebsockets} connections are open here; no more may be (MAX_WEBSOCKETS).`);
    const id = randomUUID();
    opening += 1;
    const reply = await call(connectEvent(request, id, config.trustedProxies ?? trustsNoProxy)).finally(() => {
      opening -= 1;
    });
    const entry = entries.get(id);
    if (!entry) {
      refuse(socket, reply);
      return;
    }
    const gone = () => void end(id);
    if (socket.destroyed) {
      gone();
      return;
    }
    socket.once('close', gone);
    handshake.handleUpgrade(request, socket, head, (ws) => {
      socket.off('close', gone);
      serve(entry, ws, socket);
      if (isDraining) closeGently(entry, goingAway);
    });
  };

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    accept(request, socket, head).catch((error) => refuseWith(socket, error));
  });

  return {
    open: () => entries.size,
    drain: () => {
      isDraining = true;
      stopHeartbeat();
      for (const entry of entries.values()) closeGently(entry, goingAway);
      setTimeout(() => {
        for (const { ws } of entries.values()) ws?.terminate();
      }, closedWithinMs);
    },
  };
};
