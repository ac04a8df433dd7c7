/** Events over a WebSocket. The connection is a session of its own: when it ends, and no other one is left, the queue drains. */
import { ApiError, type Problem } from '../errors.ts';
import type { Session } from '../session.ts';
import { eventOf, type Incoming, type OpenSource, TimedOut } from './source.ts';

const pingEveryMs = 20_000;
/** Without a message, not even the answer to a ping. */
const quietMs = 50_000;
/** More wait in memory only when nobody reads. The connection is then closed, and goes on behind what was read. */
const mostWaiting = 1_000;

/** The `id` of the message. */
const subscribing = 'subscribe';

type Message = {
  id?: string;
  problem?: Problem & { retryAfterSeconds?: number };
  event?: { id?: string; type: string };
};

/** Messages in their order. Whoever reads waits for the next one. */
const createInbox = () => {
  const waiting: Message[] = [];
  let wake: (() => void) | undefined;
  let end: { error?: Error } | undefined;
  const finish = (error?: Error): void => {
    end ??= { error };
    wake?.();
  };
  return {
    push(message: Message): void {
      // Behind one that was left out, none may be read.
      if (end) return;
      if (waiting.length === mostWaiting) finish();
      else waiting.push(message);
      wake?.();
    },
    finish,
    async *read(): AsyncGenerator<Message> {
      for (;;) {
        const message = waiting.shift();
        if (message) yield message;
        else if (end?.error) throw end.error;
        else if (end) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
};

type Options = {
  url: string;
  session: Session;
  /** Called when a connection was refused, because a browser does not say why. @throws what the API says about a call. */
  check: (signal: AbortSignal) => Promise<unknown>;
};

export const overWebSocket = ({ url, session, check }: Options): OpenSource =>
  async function* open({ cursor, signal }) {
    const token = await session.token(signal);
    const socket = new WebSocket(url, ['lanekeeper', `token.${token}`]);
    const inbox = createInbox();
    let isOpen = false;
    let heardAt = Date.now();
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.onopen = () => {
      isOpen = true;
      send({ id: subscribing, action: 'subscribe', after: cursor });
    };
    socket.onmessage = ({ data }) => {
      heardAt = Date.now();
      inbox.push(JSON.parse(String(data)));
    };
    socket.onclose = () => inbox.finish(isOpen ? undefined : new Error(`${url} refused the connection.`));
    const abort = (): void => inbox.finish(signal.reason);
    signal.addEventListener('abort', abort);
    const timer = setInterval(() => {
      if (Date.now() - heardAt > quietMs) inbox.finish(new TimedOut('The connection was quiet.'));
      else if (isOpen) send({ id: 'ping', action: 'ping' });
    }, pingEveryMs);
    try {
      for await (const { id, problem, event } of inbox.read()) {
        if (problem && id === subscribing) throw new ApiError(problem, problem.retryAfterSeconds);
        if (event?.type === 'ended') return;
        if (event) yield { id: event.id, event: eventOf(event.type, event.id, event) } satisfies Incoming;
      }
    } catch (error) {
      if (!isOpen && !signal.aborted) await check(signal);
      throw error;
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', abort);
      socket.close();
    }
  };
