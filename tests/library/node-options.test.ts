/** The options of Node that the processes of a consumer get. */
import { expect, test } from '@jest/globals';
import { nodeOptionsOf } from '../../lib/library/consumer-processes.ts';

test('how modules are loaded is for the processes too; what this process runs, debugs and reads is not', () => {
  const kept = ['--import', './hooks.mjs', '--conditions=dev', '--experimental-vm-modules', '-r', './first.cjs'];
  const own = ['--inspect-brk=9229', '-e', 'start()', '--input-type=module', '--watch', '--watch-path', 'src'];
  expect(nodeOptionsOf([...own, ...kept, '--env-file', '.env', '--env-file-if-exists=.other'])).toEqual(kept);
});
