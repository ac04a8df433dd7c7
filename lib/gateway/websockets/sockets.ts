/** The WebSocket API of the gateway: it calls the same function with the same events as API Gateway does. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Context } from 'aws-lambda';
import { type WebSocket, WebSocketServer } from 'ws';
import { createBatcher } from '../../batcher.ts';
import type { Config } from '../../config.ts';
import type { FunctionDeps } from '../../deps.ts';
import { BusyError } from '../../errors.ts';
import type { Reply } from '../../http/call.ts';
import { NoSuchRouteError } from '../../http/errors.ts';
import { maxEnqueueTextBytes } from '../../http/input.ts';
import { problemReply } from '../../http/problem.ts';
import { trustsNoProxy } from '../../trusted-proxies.ts';
import type { SocketContext } from '../../websocket/socket-call.ts';
import { subprotocol } from '../../websocket/token.ts';
import { DrainingError } from '../errors.ts';
import type { UploadRoom } from '../upload-room.ts';
import { answerMessages, closeCodes } from './frames.ts';
import { type HeartbeatDeps, startHeartbeat } from './heartbeat.ts';
import { closeGently, createRegistry, type Entry, type Registry } from './registry.ts';
import { connectEvent, disconnectEvent, messageEvent, type SocketEvent } from './socket-event.ts';
import { checkHandshake, pathOf, refuse, refuseWith, websocketPath } from './upgrade.ts';

export type SocketHandler = (event: SocketEvent, context: Context) => Promise<Reply>;

export type SocketDeps = HeartbeatDeps &
  Pick<FunctionDeps, 'websockets'> & {
    config: Pick<Config, 'maxWebsockets' | 'maxUserWebsockets' | 'trustedProxies'>;
  };

/** Sessions that are ended at a time, when many connections close together. */
const endsAtATime = 32;

const goingAway = { code: closeCodes.goingAway, reason: 'This instance is stopping.' };

/** For the answers under way, and for those to a close. */
const closedWithinMs = 1_000;

/** The connections of `/ws`. */
export class Sockets {
  readonly #handler: SocketHandler;
  readonly #room: UploadRoom;
  readonly #deps: SocketDeps;
  readonly #registry: Registry;
  readonly #handshake: WebSocketServer;
  readonly #stopHeartbeat: () => void;
  readonly #endOne: (id: string) => Promise<void>;
  #opening = 0;
  #isDraining = false;

  constructor(server: Server, handler: SocketHandler, room: UploadRoom, deps: SocketDeps) {
    this.#handler = handler;
    this.#room = room;
    this.#deps = deps;
    this.#registry = createRegistry(deps.config);
    deps.websockets.open = () => this.#registry.entries.size;
    const handleProtocols = (offered: Set<string>) => offered.has(subprotocol) && subprotocol;
    const options = { noServer: true, clientTracking: false, maxPayload: maxEnqueueTextBytes, handleProtocols };
    this.#handshake = new WebSocketServer(options);
    this.#stopHeartbeat = startHeartbeat(this.#registry.entries, deps);
    const disconnect = async (ids: string[]) =>
      Promise.all(ids.map(async (id) => void (await this.#call(disconnectEvent(id)))));
    this.#endOne = createBatcher(disconnect, { maxItems: 1, maxInFlight: endsAtATime });
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      this.#accept(request, socket, head).catch((error) => refuseWith(socket, error));
    });
  }

  /**
   * Accepts no new connection and closes all. Their sessions are left to expire: until then their clients are connected to another
   * process.
   */
  drain(): void {
    const { entries } = this.#registry;
    this.#isDraining = true;
    this.#stopHeartbeat();
    for (const entry of entries.values()) closeGently(entry, goingAway);
    setTimeout(() => {
      for (const { ws } of entries.values()) ws?.terminate();
    }, closedWithinMs);
  }

  #call(event: SocketEvent): Promise<Reply> {
    const context: SocketContext = { connections: this.#registry.connections };
    return this.#handler(event, context as unknown as Context);
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const id = randomUUID();
    const reply = await this.#open(request, id);
    const entry = this.#registry.entries.get(id);
    if (!entry) {
      refuse(socket, reply);
      return;
    }
    const gone = () => void this.#end(id);
    if (socket.destroyed) {
      gone();
      return;
    }
    socket.once('close', gone);
    this.#handshake.handleUpgrade(request, socket, head, (ws) => {
      socket.off('close', gone);
      this.#serve(entry, ws, socket);
      if (this.#isDraining) closeGently(entry, goingAway);
    });
  }

  /** @throws {DrainingError} {BusyError} 503; {NoSuchRouteError} 404; {InvalidRequestError} 400 */
  async #open(request: IncomingMessage, id: string): Promise<Reply> {
    const { maxWebsockets, trustedProxies = trustsNoProxy } = this.#deps.config;
    if (this.#isDraining) throw new DrainingError();
    if (pathOf(request) !== websocketPath) throw new NoSuchRouteError();
    checkHandshake(request);
    if (this.#registry.entries.size + this.#opening >= maxWebsockets)
      throw new BusyError(`${maxWebsockets} connections are open here; no more may be (MAX_WEBSOCKETS).`);
    this.#opening += 1;
    try {
      return await this.#call(connectEvent(request, id, trustedProxies));
    } finally {
      this.#opening -= 1;
    }
  }

  #serve(entry: Entry, ws: WebSocket, socket: Duplex): void {
    entry.ws = ws;
    entry.line = answerMessages(ws, socket, this.#room, {
      answer: async (text) => (entry.closing ? undefined : this.#answer(entry, text)),
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
    ws.once('close', () => {
      entry.events?.abort();
      void this.#end(entry.connection.id);
    });
  }

  async #answer({ connection }: Entry, text: string): Promise<string> {
    try {
      return (await this.#call(messageEvent(connection.id, text))).body ?? '';
    } catch (error) {
      this.#deps.log.error({ err: error }, 'gateway failed');
      return `{"problem":${problemReply(error).body}}`;
    }
  }

  /** If MongoDB does not answer, the session expires. */
  async #end(id: string): Promise<void> {
    try {
      if (!this.#isDraining) await this.#endOne(id);
    } catch (error) {
      this.#deps.log.error({ err: error }, 'gateway failed');
    } finally {
      this.#registry.entries.delete(id);
    }
  }
}
