/** The states of a primary and of each worker. `stopped` (a clean shutdown) and `failed` are final. */
export type LifecycleState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

const followers: Record<LifecycleState, readonly LifecycleState[]> = {
  starting: ['running', 'draining', 'failed'],
  running: ['draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

export const mayBecome = (from: LifecycleState, to: LifecycleState): boolean => followers[from].includes(to);

export type Lifecycle = {
  readonly state: LifecycleState;
  /** @throws {Error} when `to` cannot follow the current state, which is a bug. */
  become(to: LifecycleState): void;
};

/** @param changed called after each transition. */
export const createLifecycle = (changed: (to: LifecycleState, from: LifecycleState) => void): Lifecycle => {
  let state: LifecycleState = 'starting';
  return {
    get state() {
      return state;
    },
    become: (to) => {
      if (!mayBecome(state, to)) throw new Error(`The state ${state} cannot be followed by ${to}`);
      const from = state;
      state = to;
      changed(to, from);
    },
  };
};
