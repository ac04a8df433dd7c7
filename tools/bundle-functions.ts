/**
 * `npm run bundle:functions [folder]`: what the image `functions` contains. All functions are one script, which tools/lambda/load.ts loads
 * with its compiled code; a file for each function names it as infra/functions.yml does. Their threads are ES modules beside it.
 */
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { type BuildOptions, build } from 'esbuild';
import { buildConsole } from './bundle/console.ts';
import { moduleOptions, sharedOptions } from './bundle/options.ts';
import { root } from './run-tool.ts';

const folder = resolve(argv[2] ?? join(root, 'dist', 'functions'));

/** They run in containers, not on AWS Lambda. */
const programs = ['api', 'consumer'];

const names = globSync('functions/*.ts', { cwd: root })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !programs.includes(name));

/** As Node runs it: a script knows its path and no URL. Without `import()`, which a script cannot do. */
const scriptOptions = {
  ...{ ...sharedOptions, format: 'cjs', supported: { 'dynamic-import': false } },
  ...{ banner: { js: "const ownUrl = require('node:url').pathToFileURL(__filename).href;" } },
  define: { 'import.meta.url': 'ownUrl' },
} satisfies BuildOptions;

/** Loads a function when it is asked for. */
const script = names.map((name) => `exports[${JSON.stringify(name)}] = () => require('./functions/${name}.ts');`);

/** Not `import`: of a module of Node that would read every export, and `node:http` has some that load megabytes. */
const fileOf = (name: string): string =>
  `const { createRequire } = process.getBuiltinModule('node:module');
export const { handler } = createRequire(import.meta.url)('./load.cjs').load(${JSON.stringify(name)});
`;

rmSync(folder, { recursive: true, force: true });
const contents = { contents: script.join('\n'), resolveDir: root, sourcefile: 'functions.cjs' };
const { metafile } = await build({ ...scriptOptions, stdin: contents, outfile: join(folder, 'functions/all.cjs') });
await build({
  ...{ ...scriptOptions, plugins: [], sourcemap: false },
  ...{ entryPoints: ['tools/lambda/load.ts'], outfile: join(folder, 'functions/load.cjs') },
});
await build({
  ...{ ...moduleOptions, outdir: folder },
  entryPoints: {
    'lib/accounts/hash-thread': 'lib/accounts/hash-thread.ts',
    'lib/requests/compare-thread': 'lib/requests/compare-thread.ts',
    'lib/piscina/worker': 'node_modules/piscina/dist/worker.js',
  },
});
for (const name of names) writeFileSync(join(folder, 'functions', `${name}.js`), fileOf(name));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
for (const path of ['LICENSE', 'docs/openapi.json', 'lib/http/scalar'])
  cpSync(join(root, path), join(folder, path), { recursive: true });
await buildConsole(folder);
const bytes = Object.entries(metafile.outputs).find(([file]) => file.endsWith('.cjs'))?.[1].bytes ?? 0;
stdout.write(`${Math.ceil(bytes / 1000)} kB for all functions, in ${folder}\n`);
