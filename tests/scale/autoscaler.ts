/**
 * What KEDA and the HorizontalPodAutoscaler behind it do with `GET /backlog`, in one loop: ask any consumer, divide by the target, start
 * at most twice as many or four more, and stop consumers only when none of the last answers wanted them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCluster } from '../consumer/support/cluster.ts';

export type Scaling = {
  maxConsumers: number;
  /** `workersWanted` for each consumer: its `WORKERS`. */
  target: number;
  everyMs: number;
  /** As long as an answer keeps consumers from being stopped. */
  stabilizationMs: number;
};

type Sample = { consumers: number; pending: number; oldestWaitMs: number; workersWanted: number };
type Answer = Omit<Sample, 'consumers'>;

const isServing = ({ lines }: TestCluster): boolean => lines.some(({ msg }) => msg === 'serving /healthz and /metrics');

/** As behind a Service: any consumer that serves. Without an answer, or with 503, the scaler keeps what runs. */
const ask = async (consumers: TestCluster[]): Promise<Answer | undefined> => {
  const serving = consumers.filter(isServing);
  const one = serving[Math.floor(Math.random() * serving.length)];
  const answer = await one?.get('/backlog').catch(() => undefined);
  return answer?.status === 200 ? JSON.parse(answer.text) : undefined;
};

export class Autoscaler {
  readonly samples: Sample[] = [];
  readonly stopped: TestCluster[] = [];
  readonly #running: TestCluster[] = [];
  readonly #start: (n: number) => TestCluster;
  readonly #scaling: Scaling;
  #wishes: { at: number; consumers: number }[] = [];
  #started = 0;

  constructor(start: (n: number) => TestCluster, scaling: Scaling) {
    this.#start = start;
    this.#scaling = scaling;
    this.#scaleTo(1);
  }

  get consumers(): number {
    return this.#running.length;
  }

  async runUntil(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const answer = await ask(this.#running);
      if (answer) {
        this.samples.push({ consumers: this.consumers, ...answer });
        this.#scaleTo(this.#decide(answer.workersWanted, performance.now()));
      }
      await sleep(this.#scaling.everyMs);
    }
  }

  #decide(workersWanted: number, now: number): number {
    const { maxConsumers, target, stabilizationMs } = this.#scaling;
    const wish = Math.min(maxConsumers, Math.max(1, Math.ceil(workersWanted / target)));
    this.#wishes = [...this.#wishes.filter(({ at }) => now - at < stabilizationMs), { at: now, consumers: wish }];
    if (wish >= this.consumers) return Math.min(wish, Math.max(2 * this.consumers, this.consumers + 4));
    return Math.min(this.consumers, Math.max(...this.#wishes.map(({ consumers }) => consumers)));
  }

  #scaleTo(wanted: number): void {
    while (this.consumers < wanted) {
      this.#running.push(this.#start(this.#started));
      this.#started += 1;
    }
    for (const cluster of this.#running.splice(wanted)) {
      cluster.signal('SIGTERM');
      this.stopped.push(cluster);
    }
  }
}
