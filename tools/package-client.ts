/** Builds the package `@lanekeeper/client`: `node tools/package-client.ts [folder]`. One file for each source, so that a bundler takes what it needs. */
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { build } from 'tsdown';
import { buildDeclarations } from './declarations.ts';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'client'));
const sourceFolder = join(root, 'client');

const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What people import, and the file. */
const imported = { '.': 'index', './react': 'react/index', './testing': 'testing/index' };

const manifest = {
  name: '@lanekeeper/client',
  version: source.version,
  description: 'A client of Lanekeeper for browsers and Node: a queue for each user, live events, results.',
  license: source.license,
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22.22' },
  exports: {
    ...Object.fromEntries(
      Object.entries(imported).map(([path, file]) => [path, { types: `./${file}.d.ts`, default: `./${file}.js` }]),
    ),
    './package.json': './package.json',
  },
  files: ['**/*.js', '**/*.d.ts'],
  dependencies: { 'openapi-fetch': `^${source.dependencies['openapi-fetch']}` },
  peerDependencies: { react: '>=18' },
  peerDependenciesMeta: { react: { optional: true } },
};

const buildCode = () =>
  build({
    ...{ cwd: sourceFolder, root: sourceFolder, config: false, outDir: folder },
    entry: Object.values(imported).map((file) => `${file}.ts`),
    ...{ format: 'esm', platform: 'neutral', target: 'es2022' },
    ...{ unbundle: true, fixedExtension: false, hash: false, dts: false },
    deps: { neverBundle: [/^[^./]/] },
    ...{ logLevel: 'warn', failOnWarn: true, report: false },
  });

const declared = Object.values(imported).map((file) => join(sourceFolder, `${file}.ts`));

rmSync(folder, { recursive: true, force: true });
await buildCode();
await buildDeclarations(declared, sourceFolder, folder);
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
cpSync(join(sourceFolder, 'README.md'), join(folder, 'README.md'));
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
stdout.write(`The client is in ${folder}: ${globSync('**/*.js', { cwd: folder }).length} files of code\n`);
