/** How esbuild makes bundles, whatever they contain. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { root } from '../run-tool.ts';

/** The path or URL of a file of the bundle, said by another one from its own. Outputs are one or two folders deep. */
const besideOwn = (own: string, file: string): string =>
  `${own}.replace(/\\/(?:lib\\/[^/]+|tools\\/services|functions|tools|lib|chunks)\\/[^/]+$/, ${JSON.stringify(`/${file}`)})`;

const piscinaWorker = "(0, node_path_1.resolve)(__dirname, 'worker.js')";

/** Keeps the names of files true that code computes from its own path. */
const ownPaths: Plugin = {
  name: 'own-paths',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/(functions|lib|tools)\/[^.]*\.ts$/ }, ({ path }) => {
      const source = relative(root, path);
      if (source.includes('node_modules')) return undefined;
      const code = readFileSync(path, 'utf8');
      if (code.includes('import.meta.dirname')) throw new Error(`${source}: a bundle knows only import.meta.url`);
      return {
        contents: code.replaceAll('import.meta.url', (own) => besideOwn(own, source.replace(/\.ts$/, '.js'))),
        loader: 'ts',
      };
    });
    onLoad({ filter: /\/piscina\/dist\/index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(piscinaWorker, () =>
        besideOwn('__filename', 'lib/piscina/worker.js'),
      ),
    }));
  },
};

/** Packages that Lanekeeper has no use for, or only outside of images: the ones that load them do without. */
const external = [
  ...Object.keys(JSON.parse(readFileSync(join(root, 'node_modules/mongodb/package.json'), 'utf8')).peerDependencies),
  ...['@napi-rs/nice', 'mongodb-memory-server-core'],
];

export const sharedOptions = {
  ...{ absWorkingDir: root, bundle: true, platform: 'node', target: 'node24', external, plugins: [ownPaths] },
  // Errors and logs show the names of classes and functions.
  ...{ minify: true, keepNames: true, legalComments: 'none' },
  ...{ sourcemap: true, sourcesContent: false, metafile: true, logLevel: 'warning' },
  // ES modules where a package has both.
  mainFields: ['module', 'main'],
} satisfies BuildOptions;

/** Packages that are no ES modules use what Node gives only to such files. */
const forCommonJs = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;',
].join(' ');

/** For a bundle of ES modules that share chunks. */
export const moduleOptions = {
  ...sharedOptions,
  ...{ splitting: true, format: 'esm', chunkNames: 'chunks/[name]-[hash]', banner: { js: forCommonJs } },
} satisfies BuildOptions;
