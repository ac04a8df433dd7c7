import { describe, expect, test } from '@jest/globals';
import { assertHolds, type HoldState, holdTransitions } from '../../lib/lanes/lane-state.ts';
import { createStateMachine } from '../../lib/state-machine.ts';

const states: HoldState[] = ['opening', 'standing-by', 'acquiring', 'owned', 'handing-over', 'giving-up', 'released'];

const allowed = [
  'opening -> standing-by',
  'opening -> giving-up',
  'opening -> released',
  'standing-by -> acquiring',
  'standing-by -> giving-up',
  'standing-by -> released',
  'acquiring -> owned',
  'acquiring -> giving-up',
  'acquiring -> released',
  'owned -> handing-over',
  'owned -> giving-up',
  'owned -> released',
  'handing-over -> giving-up',
  'handing-over -> released',
  'giving-up -> released',
];

/** A machine that has come to `state` by allowed transitions. */
const machineIn = (state: HoldState, check?: (to: HoldState) => void) => {
  const path: Record<HoldState, HoldState[]> = {
    opening: [],
    'standing-by': ['standing-by'],
    acquiring: ['standing-by', 'acquiring'],
    owned: ['standing-by', 'acquiring', 'owned'],
    'handing-over': ['standing-by', 'acquiring', 'owned', 'handing-over'],
    'giving-up': ['giving-up'],
    released: ['released'],
  };
  const entered: string[] = [];
  const machine = createStateMachine<HoldState>({
    name: 'lane hold',
    initial: 'opening',
    transitions: holdTransitions,
    check,
    entered: (to, from) => void entered.push(`${from} -> ${to}`),
  });
  for (const next of path[state]) machine.become(next);
  return { machine, entered };
};

describe('the life of a lane hold', () => {
  test.each(states.flatMap((from) => states.map((to) => [from, to] as const)))('%s -> %s', (from, to) => {
    const { machine } = machineIn(from);
    const become = () => machine.become(to);
    const isAllowed = allowed.includes(`${from} -> ${to}`);
    if (isAllowed) expect(become).not.toThrow();
    else expect(become).toThrow(`lane hold: no transition from ${from} to ${to}`);
    expect(machine.state).toBe(isAllowed ? to : from);
  });

  test('each transition is reported once', () => {
    expect(machineIn('owned').entered).toEqual([
      'opening -> standing-by',
      'standing-by -> acquiring',
      'acquiring -> owned',
    ]);
  });

  test('a transition whose check fails does not happen', () => {
    const { machine, entered } = machineIn('standing-by', (to) => {
      if (to === 'acquiring') throw new Error('not yet');
    });
    expect(() => machine.become('acquiring')).toThrow('not yet');
    expect(machine.state).toBe('standing-by');
    expect(entered).toEqual(['opening -> standing-by']);
  });

  test('the initial state is checked too', () => {
    const check = (to: HoldState) => assertHolds(to, { channel: true, token: 0 });
    expect(() => machineIn('opening', check)).toThrow('lane hold: opening with a channel');
  });

  const channels = { without: false, with: true };
  const tokens = { without: 0, with: 7 };
  /** The channel and the fencing token that each state needs. A released hold may have both, or neither. */
  test.each([
    ['opening', 'without', 'without'],
    ['standing-by', 'with', 'without'],
    ['acquiring', 'with', 'without'],
    ['owned', 'with', 'with'],
    ['handing-over', 'with', 'with'],
  ] as const)('%s is entered %s a channel and %s a fencing token', (state, channel, token) => {
    const opposite = { with: 'without', without: 'with' } as const;
    const enter = (channelIs: 'with' | 'without', tokenIs: 'with' | 'without') => () =>
      assertHolds(state, { channel: channels[channelIs], token: tokens[tokenIs] });
    expect(enter(channel, token)).not.toThrow();
    expect(enter(opposite[channel], token)).toThrow(`lane hold: ${state} ${opposite[channel]} a channel`);
    expect(enter(channel, opposite[token])).toThrow(`lane hold: ${state} ${opposite[token]} a fencing token`);
  });

  test.each([true, false])('a hold is released with a channel and a token, or without', (channel) => {
    expect(() => assertHolds('released', { channel, token: channel ? 7 : 0 })).not.toThrow();
  });
});
