/** A user's WebSocket: it carries its calls, and is opened again when it breaks. */
import { WebSocket } from 'ws';
import { monotonicMs } from '../system/monotonic.ts';

type Answer = { status: number; body: Record<string, unknown> };
type Call = { call: string; body?: unknown; token?: string; key?: string };
type Frame = { id?: number; ok?: Record<string, unknown>; problem?: { status: number } & Record<string, unknown> };

const openMs = 8_000;
const answerMs = 8_000;

/** The call as a message; `undefined` for a call that only HTTP has. */
const messageOf = ({ call, body, key }: Call): object | undefined => {
  if (call === 'POST /enqueue') return { action: 'enqueue', ...(body as object), ...(key && { key }) };
  const seq = /^DELETE \/requests\/(\d+)$/.exec(call)?.[1];
  return seq ? { action: 'cancel', seq: Number(seq) } : undefined;
};

export class SocketLine {
  readonly #token: string;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #socket: Promise<WebSocket | undefined> | undefined;
  #asked = 0;
  #isCut = false;
  /** Its login does not keep the queue open since then. */
  hasConnected = false;

  readonly #ended: (at: number) => void;
  /** When its session was live for sure. */
  #liveAt = 0;

  /** @param ended called when the session may have ended, with the time since when that may be. */
  constructor(token: string, ended: (at: number) => void) {
    this.#token = token;
    this.#ended = ended;
  }

  /**
   * Resolves to `undefined` when there is no answer: the message may still have taken effect.
   *
   * @returns `undefined` at once for a call that no message makes.
   */
  send(url: string, call: Call): Promise<Answer | undefined> | undefined {
    const message = messageOf(call);
    return message && !this.#isCut ? this.#ask(url, call, message) : undefined;
  }

  /** As when its client dies. It is not opened again. */
  async cut(): Promise<void> {
    this.#isCut = true;
    const socket = await this.#socket;
    if (socket) this.#ended(this.#liveAt);
    socket?.terminate();
  }

  async #ask(url: string, { call }: Call, message: object): Promise<Answer | undefined> {
    this.#socket ??= this.#open(url);
    const socket = await this.#socket;
    if (!socket) {
      this.#socket = undefined;
      return undefined;
    }
    this.#asked += 1;
    const id = this.#asked;
    const answered = new Promise<Answer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      setTimeout(resolve, answerMs, undefined).unref();
    });
    socket.send(JSON.stringify({ id, ...message }), () => undefined);
    const answer = await answered.finally(() => this.#waiting.delete(id));
    if (answer?.status === 200) this.#liveAt = monotonicMs();
    // As over HTTP.
    return answer?.status === 200 && call === 'POST /enqueue' ? { ...answer, status: 202 } : answer;
  }

  /** Resolves to `undefined` when it does not open. */
  #open(url: string): Promise<WebSocket | undefined> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, ['lanekeeper', `token.${this.#token}`], {
      handshakeTimeout: openMs,
    });
    const hasClosed = (): void => {
      if (this.hasConnected) this.#ended(this.#liveAt);
      this.#socket = undefined;
      for (const resolve of this.#waiting.values()) resolve(undefined);
    };
    socket.on('message', (data) => {
      const { id = 0, ok, problem } = JSON.parse(String(data)) as Frame;
      const answer = problem ? { status: problem.status, body: problem } : { status: 200, body: ok ?? {} };
      this.#waiting.get(id)?.(answer);
    });
    return new Promise((resolve) => {
      const opened = () => {
        this.#liveAt = monotonicMs();
        this.hasConnected = true;
        resolve(socket);
      };
      socket.once('open', opened).on('error', () => resolve(undefined));
      socket.once('close', () => {
        hasClosed();
        resolve(undefined);
      });
    });
  }
}
