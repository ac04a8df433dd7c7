/**
 * `npm run model` searches everything: the broken rules, the small bound and the large one. It takes minutes and a few
 * GiB of memory. Arguments select the configurations whose titles contain one of them.
 */
import { type Bound, check, ensureSpin, type Result } from './check.ts';
import { brokenParts, brokenPartsFoundLate, brokenRules, large, small } from './configurations.ts';

const bound: Bound = { optimize: '-O2', hashBits: 26, memoryMiB: 9_000, timeoutMs: 3_600_000 };

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const report = (
  title: string,
  expected: Result['outcome'],
  { outcome, states, seconds, assertion, steps }: Result,
): boolean => {
  const asExpected = outcome === expected;
  const found = assertion === undefined ? outcome : `${outcome}: ${assertion}`;
  const effort = `${states.toLocaleString('en')} states, ${seconds.toFixed(1)} s`;
  print(`${asExpected ? 'ok  ' : 'FAIL'} ${title}: ${found}, ${effort}`);
  if (!asExpected) for (const step of steps) print(`       ${step}`);
  return asExpected;
};

const wanted = process.argv.slice(2);
const isWanted = (title: string): boolean => wanted.length === 0 || wanted.some((word) => title.includes(word));

await ensureSpin();
const results: boolean[] = [];
for (const { rule, title, defines } of [...brokenRules, ...brokenParts, ...brokenPartsFoundLate]) {
  const name = `without ${rule}, ${title}`;
  if (!isWanted(name)) continue;
  const result = await check({ title, defines: [...defines, `BREAK_${rule}`] }, bound);
  results.push(report(name, 'violated', result));
}
for (const configuration of [...small, ...large]) {
  if (!isWanted(configuration.title)) continue;
  results.push(report(configuration.title, 'holds', await check(configuration, bound)));
}
const failed = results.filter((asExpected) => !asExpected).length;
print(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
