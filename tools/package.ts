/**
 * Builds the npm package: `node tools/package.ts [folder]`. The checkout needs no build, but Node does not strip types below
 * node_modules. One output for each source file: processes, threads and routes are started by the name of a file.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { build } from 'tsdown';
import { tracingPackages } from '../lib/telemetry/open-tracing.ts';
import { buildConsole } from './bundle/console.ts';
import { buildDeclarations } from './declarations.ts';
import { nodeVersions } from './node-versions.ts';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'package'));

const sources = [
  'functions/*.ts',
  'lib/**/*.ts',
  'tools/lanekeeper.ts',
  'tools/commands/*.ts',
  // Started by their names.
  'tools/end-with-parent.ts',
  'tools/services/download-mongod.ts',
];

const copied = [
  ...['LICENSE', 'README.md', 'CHANGELOG.md', 'docs'],
  // The routes, and the servers where Docker Compose runs them.
  ...['infra/functions.yml', 'infra/try-it.yml', 'docker-compose.yml', 'tools/services/published-ports.yml'],
  // What lanekeeper init writes.
  'tools/init',
  // The script of the reference page.
  'lib/http/scalar',
];

const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The files that people import, as the checkout names them. */
const imported: Record<string, string> = source.exports;

const built = (file: string): string => file.replace(/\.ts$/, '.js');

/**
 * Packages that the product loads only where they are wanted: `lanekeeper services` downloads a mongod where neither a MongoDB nor Docker is
 * installed, and OTEL_EXPORTER_OTLP_ENDPOINT exports traces.
 */
const optional = ['mongodb-memory-server-core', ...tracingPackages];

/** A project takes in a fix of a dependency without waiting for a release of ours, and shares what it uses itself. */
const ranges = (versions: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, `^${version}`]));

const manifestOf = () => {
  const { name, version, description, license, type, bin, dependencies, devDependencies } = source;
  const exports = Object.entries(imported).map(([path, file]) => [
    path,
    { types: file.replace(/\.ts$/, '.d.ts'), default: built(file) },
  ]);
  return {
    ...{ name, version, description, license, type },
    engines: { node: nodeVersions },
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    bin: { lanekeeper: built(bin.lanekeeper) },
    files: ['client', 'dist', 'functions', 'infra', 'lib', 'tools', 'docs', 'docker-compose.yml', 'CHANGELOG.md'],
    dependencies: ranges(dependencies),
    peerDependencies: ranges(Object.fromEntries(optional.map((peer) => [peer, devDependencies[peer]]))),
    peerDependenciesMeta: Object.fromEntries(optional.map((peer) => [peer, { optional: true }])),
  };
};

const buildCode = () =>
  build({
    ...{ cwd: root, root, config: false, entry: sources, outDir: folder },
    // As the oldest Node of `engines`.
    ...{ format: 'esm', platform: 'node', target: 'node22.22' },
    ...{ unbundle: true, fixedExtension: false, hash: false, dts: false },
    // Every package.
    deps: { neverBundle: [/^[^./]/] },
    ...{ logLevel: 'warn', failOnWarn: true, report: false },
  });

const declared = Object.values(imported).map((file) => join(root, file));

rmSync(folder, { recursive: true, force: true });
await buildCode();
await buildDeclarations(declared, root, folder);
for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true });
await buildConsole(folder);
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(), undefined, 2)}\n`);
stdout.write(`The package is in ${folder}\n`);
