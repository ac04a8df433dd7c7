/** How far a primary, or one of its workers, has come. `stopped` and `failed` are final. */
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
  /** @throws when the order does not allow it: a fault of this program, never of the environment. */
  become(to: LifecycleState): void;
};

/** A life that moves in one direction only. `changed` is told of every step. */
export const createLifecycle = (changed: (to: LifecycleState, from: LifecycleState) => void): Lifecycle => {
  let state: LifecycleState = 'starting';
  return {
    get state() {
      return state;
    },
    become: (to) => {
      if (!mayBecome(state, to)) throw new Error(`What is ${state} cannot become ${to}`);
      const from = state;
      state = to;
      changed(to, from);
    },
  };
};
