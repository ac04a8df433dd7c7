import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';

jest.setTimeout(60_000);

type Component = { name: string; version: string; licenses?: unknown[]; hashes?: unknown[]; purl: string };
type Package = { version: string; dev?: boolean; optional?: boolean; devOptional?: boolean };

test('the SBOM lists every package that production runs, with its license and its hash, and no other', async () => {
  const { stdout } = await execa(execPath, ['--no-warnings', 'tools/sbom.ts'], { cwd: root });
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string; components: Component[] };
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, Package>;
  const installed = Object.entries(lock).flatMap(([path, { version, dev, optional, devOptional }]) =>
    path === '' || dev || optional || devOptional ? [] : `${path.split('node_modules/').at(-1)}@${version}`,
  );
  expect(bomFormat).toBe('CycloneDX');
  const listed = components.map(({ name, version }) => `${name}@${version}`);
  expect(new Set(listed)).toEqual(new Set(installed));
  for (const component of components) {
    expect(component).toMatchObject({ licenses: [expect.anything()], hashes: [{ alg: 'SHA-512' }] });
  }
});
