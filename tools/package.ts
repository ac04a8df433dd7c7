/**
 * Builds the npm package that processors import: `node tools/package.ts [folder]`. The checkout needs no build, but Node does not
 * strip types below node_modules.
 */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, execPath, stdout } from 'node:process';
import { execa } from 'execa';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'package'));
const project = join(root, 'tsconfig.package.json');

const { name, version, description, license, type, engines } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const exports = { '.': { types: './processor.d.ts', default: './processor.js' } };

rmSync(folder, { recursive: true, force: true });
await execa(execPath, [join(root, 'node_modules', '.bin', 'tsc'), '-p', project, '--outDir', folder], {
  stdio: 'inherit',
});
const manifest = { name, version, description, license, type, engines, exports, sideEffects: false };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
stdout.write(`The package is in ${folder}\n`);
