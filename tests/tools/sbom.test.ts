import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';

jest.setTimeout(60_000);

type Component = {
  name: string;
  version: string;
  scope: string;
  licenses?: unknown[];
  hashes?: unknown[];
  purl: string;
};
type Package = { version: string; dev?: boolean; optional?: boolean; devOptional?: boolean };

const list = async (...options: string[]): Promise<{ bomFormat: string; components: Component[] }> =>
  JSON.parse((await execa(execPath, ['--no-warnings', 'tools/sbom.ts', ...options], { cwd: root })).stdout);

test('the SBOM lists every package that production runs or the console contains, and the one that a file was copied from, with its license and its hash, and no other', async () => {
  const { bomFormat, components } = await list();
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, Package>;
  const installed = Object.entries(lock).flatMap(([path, { version, dev, optional, devOptional }]) =>
    path === '' || dev || optional || devOptional ? [] : `${path.split('node_modules/').at(-1)}@${version}`,
  );
  expect(bomFormat).toBe('CycloneDX');
  const listed = components.map(({ name, version }) => `${name}@${version}`);
  const copied = JSON.parse(readFileSync(join(root, 'lib/http/scalar/source.json'), 'utf8'));
  const shown = ['preact', 'uplot'].map((name) => `${name}@${lock[`node_modules/${name}`]?.version}`);
  expect(new Set(listed)).toEqual(new Set([...installed, ...shown, `${copied.name}@${copied.version}`]));
  for (const component of components) {
    expect(component).toMatchObject({ licenses: [expect.anything()], hashes: [{ alg: 'SHA-512' }] });
  }
});

test('the SBOM of the images lists the packages that export traces as well', async () => {
  const [production, images] = await Promise.all([list(), list('--images')]);
  const namesOf = ({ components }: { components: Component[] }) => components.map(({ name }) => name);
  const more = namesOf(images).filter((name) => !namesOf(production).includes(name));
  expect(more).toContain('@opentelemetry/exporter-trace-otlp-http');
  // What that one needs.
  expect(more).toContain('@opentelemetry/otlp-transformer');
  expect(more.filter((name) => !name.startsWith('@opentelemetry/'))).toEqual([]);
  expect(namesOf(images)).toEqual(expect.arrayContaining(namesOf(production)));
  expect(new Set(images.components.map(({ scope }) => scope))).toEqual(new Set(['required']));
});
