/** What a reload does with slots whose workers the test plays. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import { createReload } from '../../lib/consumer/reload.ts';
import { readableLog } from '../support/log-lines.ts';

const openSlot = () => {
  const loading = Promise.withResolvers<boolean>();
  const slot = {
    loading,
    successorRuns: false,
    steps: [] as string[],
    startSuccessor: () => {
      slot.steps.push('start');
      return loading.promise;
    },
    promoteSuccessor: () => void slot.steps.push('promote'),
    dropSuccessor: () => void slot.steps.push('drop'),
    comeUp: () => {
      slot.successorRuns = true;
      loading.resolve(true);
    },
  };
  return slot;
};

test('a reload fails when a new worker exits while the others load, and no worker takes over', async () => {
  const slots = [openSlot(), openSlot(), openSlot()];
  const { log, lines } = readableLog();
  const reloaded = createReload({ clock: systemClock, log, slots, isEnding: () => false })();
  slots[0]!.comeUp();
  slots[1]!.comeUp();
  slots[0]!.successorRuns = false;
  slots[2]!.comeUp();
  await reloaded;
  expect(slots.map(({ steps }) => steps)).toEqual(slots.map(() => ['drop', 'start', 'drop']));
  expect(lines.map(({ msg }) => msg)).toEqual([
    'reload started',
    'reload failed: the workers with the earlier code go on',
  ]);
});

test('a reload lets all new workers take over when the last one has come up', async () => {
  const slots = [openSlot(), openSlot()];
  const reloaded = createReload({ clock: systemClock, log: readableLog().log, slots, isEnding: () => false })();
  for (const slot of slots) slot.comeUp();
  await reloaded;
  expect(slots.map(({ steps }) => steps)).toEqual(slots.map(() => ['drop', 'start', 'promote']));
});
