import { describe, expect, test } from '@jest/globals';
import { assertHolds, type HoldState, holdTransitions } from '../../lib/lanes/lane-state.ts';
import { createStateMachine } from '../../lib/state-machine.ts';

const states = Object.keys(holdTransitions) as HoldState[];

/** A machine that has come to `state` by allowed transitions. */
const machineIn = (state: HoldState) => {
  const path: Record<HoldState, HoldState[]> = {
    opening: [],
    'standing-by': ['standing-by'],
    acquiring: ['standing-by', 'acquiring'],
    owned: ['standing-by', 'acquiring', 'owned'],
    'handing-over': ['standing-by', 'acquiring', 'owned', 'handing-over'],
    released: ['released'],
  };
  const entered: string[] = [];
  const machine = createStateMachine<HoldState>({
    name: 'lane hold',
    initial: 'opening',
    transitions: holdTransitions,
    entered: (to, from) => void entered.push(`${from} -> ${to}`),
  });
  for (const next of path[state]) machine.become(next);
  return { machine, entered };
};

describe('the life of a lane hold', () => {
  test.each(states.flatMap((from) => states.map((to) => [from, to] as const)))('%s -> %s', (from, to) => {
    const { machine } = machineIn(from);
    const become = () => machine.become(to);
    if (holdTransitions[from].includes(to)) expect(become).not.toThrow();
    else expect(become).toThrow(`lane hold: no transition from ${from} to ${to}`);
    expect(machine.state).toBe(holdTransitions[from].includes(to) ? to : from);
  });

  test('a released hold never becomes anything else, and only a hand-over goes back', () => {
    expect(holdTransitions.released).toEqual([]);
    const order = (state: HoldState) => states.indexOf(state);
    const back = states.flatMap((from) =>
      holdTransitions[from].filter((to) => order(to) < order(from)).map((to) => `${from} -> ${to}`),
    );
    expect(back).toEqual(['handing-over -> owned']);
  });

  test('each transition is reported once', () => {
    expect(machineIn('owned').entered).toEqual([
      'opening -> standing-by',
      'standing-by -> acquiring',
      'acquiring -> owned',
    ]);
  });

  test('a lane is neither owned nor handed over without a channel and a fencing token', () => {
    for (const state of ['owned', 'handing-over'] as const) {
      expect(() => assertHolds(state, { channel: false, token: 1 })).toThrow('without a channel');
      expect(() => assertHolds(state, { channel: true, token: 0 })).toThrow('without a fencing token');
      expect(() => assertHolds(state, { channel: true, token: 1 })).not.toThrow();
    }
    expect(() => assertHolds('standing-by', { channel: true, token: 0 })).not.toThrow();
    expect(() => assertHolds('released', { channel: false, token: 0 })).not.toThrow();
  });
});
