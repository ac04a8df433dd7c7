import type { LaneDeps } from '../../lib/lanes/context.ts';
import type { FunctionDeps } from './clients.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryDatabase, Step } from './memory-stores.ts';

export type Site = { database: MemoryDatabase; broker: MemoryBroker; step: Step };

export type Break = {
  name: string;
  worker?: (deps: LaneDeps, site: Site) => LaneDeps;
  function?: (deps: FunctionDeps, site: Site) => FunctionDeps;
};
