import { describe, expect, test } from '@jest/globals';
import { limitsOf, type Slot, Slots } from '../../lib/lanes/slots.ts';

/** Users that keep each slot until the test takes it from them. */
const openSlots = (count: number) => {
  const slots = new Slots(limitsOf(count));
  const granted: string[] = [];
  const held = new Map<string, Slot>();
  const ask = (...users: string[]) => {
    for (const user of users) {
      slots.acquire(user, (slot) => {
        granted.push(user);
        held.set(user, slot);
        return true;
      });
    }
  };
  const release = (user: string) => held.get(user)?.release();
  return { slots, granted, ask, release };
};

describe('slots', () => {
  test('go to the waiting users in the order in which they asked', () => {
    const { slots, granted, ask, release } = openSlots(1);
    ask('a', 'b', 'c');
    expect([granted, slots.contended('a'), slots.inUse]).toEqual([['a'], true, 1]);
    release('a');
    release('b');
    expect([granted, slots.contended('c'), slots.inUse]).toEqual([['a', 'b', 'c'], false, 1]);
    release('c');
    expect(slots.inUse).toBe(0);
  });

  test('that are released twice are released once', () => {
    const { slots, granted, ask, release } = openSlots(1);
    ask('a', 'b', 'c');
    release('a');
    release('a');
    expect([granted, slots.inUse]).toEqual([['a', 'b'], 1]);
  });

  test('are never lost, however many waiting users decline one', () => {
    const { slots, granted, ask, release } = openSlots(1);
    ask('a');
    for (let waiter = 0; waiter < 50_000; waiter += 1) slots.acquire('x', () => false);
    ask('b');
    release('a');
    expect([granted, slots.inUse]).toEqual([['a', 'b'], 1]);
  });
});

describe('users whose newest run went on past its deadline', () => {
  const withOverdue = (count: number, ...overdue: string[]) => {
    const open = openSlots(count);
    for (const user of overdue) open.slots.noteRun(user, false);
    return open;
  };

  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [64, 32],
  ])('have of %i slots at most %i', (count, share) => {
    const overdue = Array.from({ length: count + 1 }, (_, index) => `late ${index}`);
    const { granted, ask, slots } = withOverdue(count, ...overdue);
    ask(...overdue);
    expect(granted).toHaveLength(share);
    expect(slots.isFullFor('late 0')).toBe(true);
    expect(slots.isFullFor('in time')).toBe(count === 1);
    ask(...Array.from({ length: count }, (_, index) => `in time ${index}`));
    expect(granted).toHaveLength(count);
  });

  test('keep their turn among the others: neither kind of user waits for all of the other kind', () => {
    const { granted, ask, release } = withOverdue(1, 'late 1', 'late 2');
    ask('a', 'late 1', 'b', 'late 2', 'c');
    for (const user of ['a', 'late 1', 'b', 'late 2']) release(user);
    expect(granted).toEqual(['a', 'late 1', 'b', 'late 2', 'c']);
  });

  test('make no other user give up a slot that they could not have', () => {
    const { slots, ask } = withOverdue(2, 'late 1', 'late 2');
    ask('late 1', 'a', 'late 2');
    expect([slots.contended('a'), slots.contended('late 1')]).toEqual([false, true]);
  });

  test('are users like the others as soon as a run ended in time', () => {
    const { slots, granted, ask } = withOverdue(2, 'a', 'b');
    slots.noteRun('b', true);
    ask('a', 'b');
    expect(granted).toEqual(['a', 'b']);
  });
});
