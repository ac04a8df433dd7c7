/** docs/operations.md and docs/development.md against the code, both ways: metrics and commands. */
import { expect, test } from '@jest/globals';
import { filesUnder, read, rowsOf, section, sorted } from './support/markdown.ts';

test('docs/operations.md lists every metric that the consumer and the API serve, and no other', () => {
  const served = filesUnder('lib', '.ts').flatMap((file) => read(file).match(/(?<=')lanekeeper_\w+(?=')/g) ?? []);
  const listed = rowsOf(section(read('docs/operations.md'), '## Metrics')).map(([name]) => name);
  expect(served.length).toBeGreaterThan(15);
  expect(sorted(listed)).toEqual(sorted(served));
});

test('docs/development.md lists every npm script, and no other', () => {
  const commands = rowsOf(section(read('docs/development.md'), '## Commands')).map(([name]) => name);
  const listed = commands.map((command) => command.replace(/^npm (run )?/, ''));
  expect(sorted(listed)).toEqual(sorted(Object.keys(JSON.parse(read('package.json')).scripts)));
});
