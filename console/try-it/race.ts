/** A race of some users, the workers that run their requests, and what happens when one of these is killed. */
import { pause } from '../../client/wait.ts';
import type { Person } from '../person.ts';
import { createSource } from '../source.ts';
import { ownerColors } from '../text.ts';
import type { Overview } from '../types.ts';
import { createRacer, type Racer } from './racer.ts';

const names = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo', 'ida', 'jon', 'kim', 'leo'];
export const mostUsers = names.length;

const sendEveryMs = 200;
const drawEveryMs = 100;
/** The rate is that of the last seconds. */
const rateOfMs = 3_000;

/** `again`: each user gets another burst when half of the last one is settled, until somebody stops that. */
export type Plan = { users: number; burst: number; request: unknown; again: boolean };

export type Kill = {
  workerId: string;
  at: Date;
  lanes: number[];
  /** When all of these lanes had other owners, as this page has seen it. */
  ownedAfterMs?: number;
};

type Killed = { at: string };

/** `over`: everything that was sent is settled. */
export type Phase = 'ready' | 'starting' | 'racing' | 'over' | 'leaving';

export class Race {
  /** Changes when there is something new to draw. */
  readonly changes = createSource(0);
  phase: Phase = 'ready';
  racers: Racer[] = [];
  isSending = false;
  overview: Overview | undefined;
  kill: Kill | undefined;
  error: Error | undefined;
  readonly #client: Person;
  readonly #colors = new Map<string, number>();
  #running = new AbortController();
  #rates: { at: number; settled: number }[] = [];
  #killClickedAt = 0;
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Person) {
    this.#client = client;
  }

  /** What the workers say now. */
  see(overview: Overview): void {
    this.overview = overview;
    const owners = [...new Set(overview.lanes.flatMap(({ owner }) => owner ?? []))].sort();
    for (const owner of owners) this.colorOf(owner);
    const { kill } = this;
    if (kill && kill.ownedAfterMs === undefined) {
      const isOwned = (lane: number) => ![undefined, kill.workerId].includes(this.ownerOf(lane));
      if (kill.lanes.every(isOwned)) kill.ownedAfterMs = performance.now() - this.#killClickedAt;
    }
    this.#draw();
  }

  /** The color of a worker: those that are there at first have those of the overview, and keep them. */
  colorOf(workerId: string): number {
    const color = this.#colors.get(workerId) ?? this.#colors.size % ownerColors;
    this.#colors.set(workerId, color);
    return color;
  }

  ownerOf(lane: number): string | undefined {
    return this.overview?.lanes.find((one) => one.lane === lane)?.owner;
  }

  sum(count: (racer: Racer) => number): number {
    return this.racers.reduce((total, racer) => total + count(racer), 0);
  }

  /** Settled requests per second. */
  get rate(): number {
    const [first, last] = [this.#rates.at(0), this.#rates.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    return ((last.settled - first.settled) * 1_000) / (last.at - first.at);
  }

  /** Resolves when everything is settled, or somebody has cleaned up. Never rejects. */
  async start(plan: Plan): Promise<void> {
    await this.leave();
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.error = undefined;
    this.kill = undefined;
    this.#rates = [];
    this.isSending = true;
    this.#become('starting');
    try {
      this.racers = await this.#register(plan.users, signal);
      this.#become('racing');
      const sent = this.racers.map((racer) => this.#send(racer, plan, signal));
      const followed = this.racers.map((racer) => racer.follow(signal, () => this.#draw()));
      const counting = this.#countRate(signal);
      await Promise.race([Promise.all(sent).then(() => this.#untilSettled(signal)), ...followed, counting]);
      this.isSending = false;
      this.#become('over');
    } catch (error) {
      this.isSending = false;
      if (!signal.aborted) this.error = error as Error;
      // Nobody is in the race yet: another one may start.
      if (this.racers.length === 0) this.#become('ready');
      this.#draw();
    } finally {
      this.#running.abort();
    }
  }

  /** Requests that were sent already still run. */
  stopSending(): void {
    this.isSending = false;
    this.#draw();
  }

  /** kill -9. @throws {ApiError} */
  async killWorker(workerId: string): Promise<void> {
    const lanes = this.overview?.lanes.filter(({ owner }) => owner === workerId).map(({ lane }) => lane) ?? [];
    this.#killClickedAt = performance.now();
    const { at } = await this.#client.call<Killed>('POST', 'try-it/kill-worker', { body: { workerId } });
    this.kill = { workerId, at: new Date(at), lanes };
    for (const { score } of this.racers) score.watchFrom(Date.parse(at));
    this.#draw();
  }

  /** Disconnects all users: their waiting requests are cancelled, and their queues deleted. */
  async leave(): Promise<void> {
    const leaving = this.racers;
    this.#running.abort();
    this.isSending = false;
    if (leaving.length === 0) return;
    this.#become('leaving');
    await Promise.allSettled(leaving.map((racer) => racer.leave()));
    this.racers = [];
    this.#become('ready');
  }

  /** All of them, or none: those that were made leave again. @throws what kept one from it, or the reason of the signal */
  async #register(users: number, signal: AbortSignal): Promise<Racer[]> {
    const tried = await Promise.allSettled(names.slice(0, users).map(createRacer));
    const made = tried.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const refused = tried.find((one) => one.status === 'rejected');
    if (!refused && !signal.aborted) return made;
    await Promise.allSettled(made.map((racer) => racer.leave()));
    throw refused ? refused.reason : signal.reason;
  }

  async #send(racer: Racer, { burst, request, again }: Plan, signal: AbortSignal): Promise<void> {
    do {
      await racer.send(burst, request, signal);
      this.#draw();
      while (again && this.isSending && racer.score.accepted - racer.score.settled > burst / 2)
        await pause(sendEveryMs, signal);
    } while (again && this.isSending && !signal.aborted);
  }

  async #untilSettled(signal: AbortSignal): Promise<void> {
    while (this.racers.some(({ score }) => score.settled < score.accepted)) await pause(sendEveryMs, signal);
    for (const { score } of this.racers) score.end();
  }

  async #countRate(signal: AbortSignal): Promise<never> {
    for (;;) {
      const now = performance.now();
      this.#rates = this.#rates.filter(({ at }) => at > now - rateOfMs);
      this.#rates.push({ at: now, settled: this.sum(({ score }) => score.settled) });
      await pause(sendEveryMs, signal);
    }
  }

  #become(phase: Phase): void {
    this.phase = phase;
    this.#draw();
  }

  /** Several changes within a moment are drawn together. */
  #draw(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.changes.set(this.changes.get() + 1);
    }, drawEveryMs);
  }
}
