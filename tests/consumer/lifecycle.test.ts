import { describe, expect, test } from '@jest/globals';
import { createLifecycle, type LifecycleState, mayBecome } from '../../lib/consumer/lifecycle.ts';

const states: LifecycleState[] = ['starting', 'running', 'draining', 'stopped', 'failed'];

describe('a lifecycle', () => {
  test('goes from starting over running and draining to stopped, and tells every step', () => {
    const steps: string[] = [];
    const life = createLifecycle((to, from) => steps.push(`${from}-${to}`));
    life.become('running');
    life.become('draining');
    life.become('stopped');
    expect(life.state).toBe('stopped');
    expect(steps).toEqual(['starting-running', 'running-draining', 'draining-stopped']);
  });

  test('allows these steps and no others', () => {
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

  test('refuses a step out of order and stays where it is', () => {
    const life = createLifecycle(() => {});
    expect(() => life.become('stopped')).toThrow('What is starting cannot become stopped');
    expect(life.state).toBe('starting');
  });
});
