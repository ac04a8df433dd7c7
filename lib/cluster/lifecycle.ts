/** The states of a primary and of each worker. `stopped` (a clean shutdown) and `failed` are final. */
import { createStateMachine, type StateMachine, type Transitions } from '../state-machine.ts';

export type LifecycleState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

const transitions: Transitions<LifecycleState> = {
  starting: ['running', 'draining', 'failed'],
  running: ['draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

export const mayBecome = (from: LifecycleState, to: LifecycleState): boolean => transitions[from].includes(to);

export type Lifecycle = StateMachine<LifecycleState>;

/** @param changed called after each transition. */
export const createLifecycle = (changed: (to: LifecycleState, from: LifecycleState) => void): Lifecycle =>
  createStateMachine({ name: 'lifecycle', initial: 'starting', transitions, entered: changed });
