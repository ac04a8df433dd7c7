import { describe, expect, test } from '@jest/globals';
import { createLifecycle, type LifecycleState, mayBecome } from '../../lib/cluster/lifecycle.ts';

const states: LifecycleState[] = ['starting', 'running', 'draining', 'stopped', 'failed'];

describe('a lifecycle', () => {
  test('goes from starting to running, draining and stopped, and reports each transition', () => {
    const steps: string[] = [];
    const life = createLifecycle((to, from) => steps.push(`${from}-${to}`));
    life.become('running');
    life.become('draining');
    life.become('stopped');
    expect(life.state).toBe('stopped');
    expect(steps).toEqual(['starting-running', 'running-draining', 'draining-stopped']);
  });

  test('allows these transitions and no others', () => {
    const allowed = states.flatMap((from) => states.filter((to) => mayBecome(from, to)).map((to) => `${from}-${to}`));
    expect(allowed).toEqual([
      'starting-running',
      'starting-draining',
      'starting-failed',
      'running-draining',
      'running-failed',
      'draining-stopped',
      'draining-failed',
    ]);
  });

  test('refuses any other transition and keeps its state', () => {
    const life = createLifecycle(() => {});
    expect(() => life.become('stopped')).toThrow('lifecycle: no transition from starting to stopped');
    expect(life.state).toBe('starting');
  });
});
