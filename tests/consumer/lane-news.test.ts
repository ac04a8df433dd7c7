import { expect, test } from '@jest/globals';
import pino from 'pino';
import { createLaneNews } from '../../lib/consumer/lane-news.ts';

test('a worker logs how many lanes it owns when that is stable, and again only after a change', () => {
  let due: (() => void) | undefined;
  const clock = {
    after: (_ms: number, callback: () => void) => {
      due = callback;
      return () => {
        due = undefined;
      };
    },
  };
  const lines: { lanes?: number }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  let lanesOwned = 0;
  const changed = createLaneNews({ clock, log, lanesOwned: () => lanesOwned });
  const settle = () => due?.();

  for (lanesOwned = 1; lanesOwned < 64; lanesOwned += 1) changed();
  expect(lines).toEqual([]);
  settle();
  changed();
  settle();
  lanesOwned = 32;
  changed();
  settle();
  expect(lines.map(({ lanes }) => lanes)).toEqual([64, 32]);
});
