/**
 * `npm run bundle [folder]`: what the images contain, each program with the packages that it needs, by esbuild. The files keep the
 * folders of their sources, because infra/functions.yml, threads and processes name them by their paths; `chunks/` holds what several share.
 */
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { build, type Metafile } from 'esbuild';
import { buildConsole } from './bundle/console.ts';
import { moduleOptions } from './bundle/options.ts';
import { bytesOnLoad } from './bundle/sizes.ts';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'bundle'));

const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The files that a process, a thread or the command starts by name, as their `fileBeside` says. */
const startedByName = (): string[] => {
  const files = globSync('{lib,tools}/**/*.ts', { cwd: root });
  const named = files.flatMap((file) =>
    [...text(file).matchAll(/fileBeside\(import\.meta\.url, '([^']+)'\)/g)].map(([, name = '']) =>
      join(dirname(file), `${name}.ts`),
    ),
  );
  return [...new Set(named)];
};

/** By the path of the output, without its extension. */
const entries = (): Record<string, string> => {
  const sources = [
    ...globSync('functions/*.ts', { cwd: root }),
    ...['tools/lanekeeper.ts', 'lib/index.ts', 'lib/processor.ts'],
  ];
  const own = [...sources, ...startedByName()].map((file) => [file.replace(/\.ts$/, ''), file]);
  return { ...Object.fromEntries(own), 'lib/piscina/worker': 'node_modules/piscina/dist/worker.js' };
};

/** esbuild gives an `import()` of such a module nothing but its default export. */
const checkDynamicImports = ({ inputs }: Metafile): void => {
  for (const [file, { imports }] of Object.entries(inputs))
    for (const { kind, path } of imports)
      if (kind === 'dynamic-import' && inputs[path]?.format === 'cjs' && !file.includes('node_modules/'))
        throw new Error(`${file} imports ${path} when it runs. A bundle can do that only with an ES module.`);
};

/** @throws {Error} when a module is neither in the bundle nor optional. */
const buildCode = async (): Promise<Metafile> => {
  const { metafile } = await build({ ...moduleOptions, entryPoints: entries(), outdir: folder });
  checkDynamicImports(metafile);
  return metafile;
};

const manifestOf = () => {
  const { name, version, description, license, type } = JSON.parse(text('package.json'));
  // A processor that imports 'lanekeeper' finds it: Node looks into the nearest package.json first.
  const exports = { '.': './lib/index.js', './processor': './lib/processor.js' };
  return { ...{ name, version, description, license, type }, exports, bin: { lanekeeper: 'tools/lanekeeper.js' } };
};

rmSync(folder, { recursive: true, force: true });
const metafile = await buildCode();
for (const path of ['LICENSE', 'infra/functions.yml', 'docs/openapi.json', 'lib/http/scalar', 'tools/init'])
  cpSync(join(root, path), join(folder, path), { recursive: true });
await buildConsole(folder);
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(), undefined, 2)}\n`);
for (const [file, bytes] of bytesOnLoad(metafile, relative(root, folder)))
  stdout.write(`${`${Math.ceil(bytes / 1000)} kB`.padStart(9)}  ${file}\n`);
stdout.write(`The bundles are in ${folder}\n`);
