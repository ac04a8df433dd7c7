/**
 * `npm run -s sbom`: prints the software bill of materials (CycloneDX) of what production runs, without a network. With `--images`, of what
 * the images contain: they also have the packages that export traces. `npm sbom --omit dev` alone leaves out packages that development uses
 * as well, so it gets a lock file with the needed ones alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { argv, stdout } from 'node:process';
import { execa } from 'execa';
import { root, runTool } from './run-tool.ts';

type Versions = Record<string, string>;
type Package = { dependencies?: Versions; devDependencies?: Versions; optionalDependencies?: object };
type Packages = Record<string, Package>;

const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));

/** The optional packages are Node.js itself, for machines with an older one. */
const withoutTools = ({ devDependencies = {}, optionalDependencies: _, ...own }: Package): Package => {
  const traces = Object.entries(devDependencies).filter(([name]) => name.startsWith('@opentelemetry/'));
  return argv.includes('--images')
    ? { ...own, dependencies: { ...own.dependencies, ...Object.fromEntries(traces) } }
    : own;
};

/** Where Node finds a package that is imported below this path. */
const pathOf = (packages: Packages, importer: string, name: string): string | undefined => {
  for (let folder = importer; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (packages[path]) return path;
    if (folder === '.' || folder === '') return undefined;
  }
};

/** The packages that these dependencies need, by their paths. */
const needed = (packages: Packages, importer: string, { dependencies = {} }: Package, found: Packages): Packages => {
  for (const name of Object.keys(dependencies)) {
    const path = pathOf(packages, importer, name);
    if (!path || found[path]) continue;
    found[path] = packages[path] ?? {};
    needed(packages, path, found[path], found);
  }
  return found;
};

const neededLock = () => {
  const { packages, ...lock } = read('package-lock.json') as { packages: Packages };
  const own = withoutTools(packages[''] ?? {});
  return { ...lock, packages: { '': own, ...needed(packages, '', own, {}) } };
};

/** The file of a package that is in the repository. */
const copied = () => {
  const { name, version, license, integrity } = read('lib/http/scalar/source.json');
  const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    ...{ 'bom-ref': `${name}@${version}`, type: 'library', name, version, scope: 'required', purl },
    ...{ licenses: [{ license: { id: license } }], hashes: [{ alg: 'SHA-512', content }] },
  };
};

await runTool(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-sbom-'));
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(withoutTools(read('package.json'))));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(neededLock()));
    const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--offline'];
    const { components, ...bom } = JSON.parse((await execa('npm', args, { cwd: folder })).stdout);
    stdout.write(JSON.stringify({ ...bom, components: [...components, copied()] }, undefined, 2));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
