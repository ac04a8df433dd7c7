/**
 * Finds the message because of which the server closed a channel, among all that were on it without a confirm. They are
 * published again on a channel of their own, in halves and halves of halves, until the refused message is alone.
 */
import type { BrokerRefusedError } from '../errors.ts';
import type { PublishResult } from '../ports.ts';
import { type Attempt, endLine, type Line, type Message, publishOn } from './publishing-line.ts';
import { refused } from './unavailable.ts';

type Suspect = { message: Message; resolve(result: PublishResult): void; reject(error: unknown): void };

export const notTaken = 'the queue did not take it';

export const refusedMessage = ({ queue }: Message, cause: unknown): BrokerRefusedError =>
  refused(`take a message for ${queue}`, cause);

export class SuspectMessages {
  readonly #openLine: () => Promise<Line>;
  #waiting: Suspect[] = [];
  #isWorking = false;
  /** The size of the smallest message that was refused: larger ones do not go where they could take neighbors along. */
  #refusedFromBytes = Number.POSITIVE_INFINITY;

  constructor(openLine: () => Promise<Line>) {
    this.#openLine = openLine;
  }

  includes({ body }: Message): boolean {
    return body.length >= this.#refusedFromBytes;
  }

  /** @throws {BrokerRefusedError} when this is the message that the server refuses */
  publish(message: Message): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      if (!this.#isWorking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#narrow(group);
    }
    this.#isWorking = false;
  }

  async #narrow(group: Suspect[]): Promise<void> {
    let line: Line;
    try {
      line = await this.#openLine();
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    const attempts = await Promise.all(group.map((suspect) => this.#try(line, suspect)));
    await endLine(line).catch(() => undefined);
    const left = group.filter((_, index) => attempts[index] === 'suspect');
    const [only] = left;
    if (group.length === 1 && only) {
      this.#refusedFromBytes = Math.min(this.#refusedFromBytes, only.message.body.length);
      only.reject(refusedMessage(only.message, line.refusal));
    } else if (left.length > 0) {
      const half = Math.ceil(left.length / 2);
      await this.#narrow(left.slice(0, half));
      if (left.length > half) await this.#narrow(left.slice(half));
    }
  }

  /** Settles the suspect, unless it stays one. */
  async #try(line: Line, { message, resolve, reject }: Suspect): Promise<Attempt | 'gone'> {
    try {
      const attempt = await publishOn(line, message);
      if (attempt === 'suspect') return attempt;
      if (attempt === 'nacked') {
        reject(refusedMessage(message, notTaken));
        return attempt;
      }
      if (this.includes(message)) this.#refusedFromBytes = Number.POSITIVE_INFINITY;
      resolve(attempt);
      return attempt;
    } catch (error) {
      // The channel was closed before this message was sent, because of another.
      if (line.refusal) return 'suspect';
      reject(error);
      return 'gone';
    }
  }
}
