/** The declares and deletes of user queues that one lane sends to RabbitMQ, a few at a time. A delete waits for every declare. */

/**
 * A lane declares one queue after the other on one channel, and consumes them on others. More calls under way would only wait there, and
 * look slow.
 */
const callsAtATime = 4;

type Call = () => Promise<void>;

export class QueueLine {
  readonly #declares: Call[] = [];
  readonly #deletes: Call[] = [];
  #underWay = 0;

  declare(call: Call): void {
    this.#declares.push(call);
    this.#callNext();
  }

  delete(call: Call): void {
    this.#deletes.push(call);
    this.#callNext();
  }

  #callNext(): void {
    while (this.#underWay < callsAtATime) {
      const call = this.#declares.shift() ?? this.#deletes.shift();
      if (!call) return;
      this.#underWay += 1;
      // Whoever sent it deals with a failure.
      call()
        .catch(() => undefined)
        .finally(() => {
          this.#underWay -= 1;
          this.#callNext();
        });
    }
  }
}
