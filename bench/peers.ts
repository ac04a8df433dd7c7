/** `npm run bench:peers`: installs the packages of this folder, which no other command needs, and compares. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { execa } from 'execa';

const folder = import.meta.dirname;
/** Written by npm after it has installed everything. */
const installed = join(folder, 'node_modules', '.package-lock.json');

const isInstalled = (): boolean =>
  existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;

const wantsHelp = argv.includes('--help');
if (!wantsHelp && !isInstalled()) {
  // Without scripts: the one that there is only makes a decoder faster that none of the peers uses here.
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts'];
  await execa('npm', args, { cwd: folder, stdout: 'inherit', stderr: 'inherit' });
}
await import('./compare.ts');
