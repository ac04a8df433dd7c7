/** Opens and deletes the RabbitMQ queues of loaded users. A refused queue affects only its user [R10]. */
import { BrokerUnavailableError } from '../errors.ts';
import type { UserQueueChannel } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import type { Step } from './decide-step.ts';
import { type LoadedUser, noteRefusal, postponeClose } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';
import type { UserRegistry } from './user-steps.ts';

type UserQueueCareOptions = {
  lane: OwnedLane;
  queues: UserQueueChannel;
  registry: UserRegistry;
  context: WorkerContext;
  /** Starts what is due for the user. */
  advance: (user: LoadedUser) => void;
};

export class UserQueueCare {
  readonly #lane: OwnedLane;
  readonly #queues: UserQueueChannel;
  readonly #registry: UserRegistry;
  readonly #context: WorkerContext;
  readonly #advance: (user: LoadedUser) => void;

  constructor({ lane, queues, registry, context, advance }: UserQueueCareOptions) {
    this.#lane = lane;
    this.#queues = queues;
    this.#registry = registry;
    this.#context = context;
    this.#advance = advance;
  }

  openWhenDue(user: LoadedUser, { kind }: Step): void {
    if (user.queue === 'later' && kind !== 'read' && kind !== 'run') user.queue = 'none';
    if (user.queue === 'none' && !user.closing) void this.#open(user);
  }

  openLate(user: LoadedUser): void {
    if (user.queue === 'later' && this.#lane.isHeld()) void this.#open(user);
  }

  /** Resolves to whether the queue is gone. A delete that is refused is tried again later. */
  async delete(user: LoadedUser): Promise<boolean> {
    const { clock, random } = this.#clock();
    try {
      await this.#queues.delete(user.userId);
      user.queue = 'none';
      user.refusals = 0;
      return true;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      this.#warnOnce(user, error);
      postponeClose(user, clock.monotonicMs(), noteRefusal(user) * random);
      return false;
    }
  }

  #clock() {
    const { clock } = this.#context.deps;
    return { clock, random: 0.5 + clock.random() / 2 };
  }

  async #open(user: LoadedUser): Promise<void> {
    user.queue = 'opening';
    try {
      await this.#queues.open(user.userId);
      user.refusals = 0;
      if (user.queue === 'opening') user.queue = 'open';
      if (user.markedRefused) await this.#mark(user, false);
      this.#advance(user);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) await this.#noteRefused(user, error);
      else this.#lane.lose('a user queue could not be opened', error);
    }
  }

  /** Marks first, then refreshes: functions that took their ticket before the mark may have published already [R10]. */
  async #noteRefused(user: LoadedUser, error: BrokerUnavailableError): Promise<void> {
    if (!this.#lane.isHeld() || !this.#registry.isLoaded(user)) return;
    user.queue = 'refused';
    this.#warnOnce(user, error);
    const { clock, random } = this.#clock();
    user.cancelQueueTimer = clock.after(noteRefusal(user) * random, () => this.#tryAgain(user));
    this.#advance(user);
    if (!user.markedRefused) await this.#mark(user, true);
    if (this.#lane.isHeld() && this.#registry.isLoaded(user)) this.#registry.refresh(user.userId);
  }

  #tryAgain(user: LoadedUser): void {
    user.cancelQueueTimer = undefined;
    if (user.queue !== 'refused' || !this.#registry.isLoaded(user)) return;
    user.queue = 'none';
    this.#advance(user);
  }

  async #mark(user: LoadedUser, refused: boolean): Promise<void> {
    const { clock, userQueues } = this.#context.deps;
    await persist(clock, this.#lane.isHeld, () => userQueues.noteQueueRefused(user.userId, refused));
    user.markedRefused = refused;
  }

  #warnOnce({ userId, refusals }: LoadedUser, err: BrokerUnavailableError): void {
    if (refusals > 0) return;
    const { lane } = this.#lane;
    this.#context.deps.log.warn(
      { lane, userId, err },
      'RabbitMQ refused a user queue: serving its user from the ledger',
    );
  }
}
