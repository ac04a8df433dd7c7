/**
 * `npm run -s sbom`: prints the software bill of materials (CycloneDX) of what production runs, without a network. With `--images`, of what
 * the images contain: they also have the packages that export traces. The checkout's own lock file would not do: it marks packages that
 * development uses as well.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { execa } from 'execa';
import { tracingPackages } from '../lib/telemetry/open-tracing.ts';
import { root, runTool } from './run-tool.ts';

/** Without the packages of development, and without Node.js itself, which is there for machines with an older one. */
const manifest = () => {
  const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { devDependencies, optionalDependencies: _, ...own } = source;
  const traces = Object.fromEntries(tracingPackages.map((name) => [name, devDependencies[name]]));
  const shown = Object.fromEntries(inConsole.map((name) => [name, devDependencies[name]]));
  const more = argv.includes('--images') ? traces : {};
  return { ...own, dependencies: { ...own.dependencies, ...shown, ...more } };
};

/** What the script of the console consists of, besides our own code. It runs in browsers alone. */
const inConsole = ['preact', 'uplot'];

/** The file of a package that is in the repository. */
const copied = () => {
  const source = readFileSync(join(root, 'lib', 'http', 'scalar', 'source.json'), 'utf8');
  const { name, version, license, integrity } = JSON.parse(source);
  const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    ...{ 'bom-ref': `${name}@${version}`, type: 'library', name, version, scope: 'required', purl },
    ...{ licenses: [{ license: { id: license } }], hashes: [{ alg: 'SHA-512', content }] },
  };
};

await runTool(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-sbom-'));
  const npm = (...args: string[]) => execa('npm', [...args, '--package-lock-only', '--offline'], { cwd: folder });
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest()));
    cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
    await npm('install', '--ignore-scripts', '--no-audit', '--no-fund');
    const { components, ...bom } = JSON.parse(
      (await npm('sbom', '--omit', 'optional', '--sbom-format', 'cyclonedx')).stdout,
    );
    stdout.write(JSON.stringify({ ...bom, components: [...components, copied()] }, undefined, 2));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
