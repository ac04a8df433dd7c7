/**
 * `npm run -s sbom`: prints the software bill of materials (CycloneDX) of what production runs, without a network. `npm sbom --omit dev`
 * alone leaves out packages that development uses as well, so it gets a lock file without those of development.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { execa } from 'execa';
import { root, runTool } from './run-tool.ts';

type Package = {
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  devDependencies?: object;
  optionalDependencies?: object;
};

const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));

/** The optional packages are Node.js itself, for machines with an older one. */
const forProduction = ({ devDependencies: _dev, optionalDependencies: _optional, ...rest }: Package): Package => rest;

const productionLock = () => {
  const { packages, ...lock } = read('package-lock.json') as { packages: Record<string, Package> };
  const used = Object.entries(packages).filter(
    ([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional,
  );
  const { '': own = {}, ...others } = Object.fromEntries(used);
  return { ...lock, packages: { '': forProduction(own), ...others } };
};

await runTool(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-sbom-'));
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(forProduction(read('package.json'))));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(productionLock()));
    const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--offline'];
    stdout.write((await execa('npm', args, { cwd: folder })).stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
