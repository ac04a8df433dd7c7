/** Lanekeeper as a module of Nest: a connection that opens with the application, and the service that uses it. */
import { Module } from '@nestjs/common';
import { createLanekeeper } from 'lanekeeper';

/** What the application injects to enqueue: `constructor(@Inject(LANEKEEPER) lanekeeper)`. */
export const LANEKEEPER = Symbol('lanekeeper');

class LanekeeperLifecycle {
  constructor(lanekeeper) {
    this.lanekeeper = lanekeeper;
  }

  /** Nest calls it at the end of the application: the lanes go to the other instances, and runs under way end. */
  async onApplicationShutdown() {
    await this.lanekeeper.close();
  }
}

// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class.
export class LanekeeperModule {
  /** `processor`: its requests run in this application. Without it, the application only enqueues. */
  static forRoot(options, processor) {
    const connection = {
      provide: LANEKEEPER,
      useFactory: async () => {
        const lanekeeper = await createLanekeeper(options);
        if (processor) await lanekeeper.consume(processor);
        return lanekeeper;
      },
    };
    const lifecycle = {
      provide: LanekeeperLifecycle,
      useFactory: (lanekeeper) => new LanekeeperLifecycle(lanekeeper),
      inject: [LANEKEEPER],
    };
    return { module: LanekeeperModule, global: true, providers: [connection, lifecycle], exports: [connection] };
  }
}
Module({})(LanekeeperModule);
