/** A state that may only change along the arrows of a table. */

export type StateMachine<S extends string> = {
  readonly state: S;
  is(...states: S[]): boolean;
  /** @throws {Error} when the table has no such transition: a defect of this program, never of its environment. */
  become(to: S): void;
};

export type Transitions<S extends string> = Record<S, readonly S[]>;

export type StateMachineOptions<S extends string> = {
  /** Names the machine in the error. */
  name: string;
  initial: S;
  transitions: Transitions<S>;
  /** Called with the initial state, and before each transition. When it throws, the transition does not happen. */
  check?: (to: S) => void;
  /** Called after each transition. What it throws reaches the caller of `become`. */
  entered?: (to: S, from: S) => void;
};

export const createStateMachine = <S extends string>(options: StateMachineOptions<S>): StateMachine<S> => {
  const { name, transitions, check, entered } = options;
  let state = options.initial;
  check?.(state);
  return {
    get state() {
      return state;
    },
    is: (...states) => states.includes(state),
    become: (to) => {
      if (!transitions[state].includes(to)) throw new Error(`${name}: no transition from ${state} to ${to}`);
      check?.(to);
      const from = state;
      state = to;
      entered?.(to, from);
    },
  };
};
