/** deploy/lambda: the packages that only the image for AWS Lambda has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from '../../tools/run-tool.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const { dependencies } = JSON.parse(read('deploy/lambda/package.json'));
const { packages } = JSON.parse(read('deploy/lambda/package-lock.json'));

test('are locked as they are asked for: npm ci refuses anything else', () => {
  expect(packages[''].dependencies).toEqual(dependencies);
  for (const [name, version] of Object.entries(dependencies))
    expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/) });
});

test('have the client that the image starts', () => {
  const [, name] = /^ENTRYPOINT \["node", "\/lambda\/node_modules\/([^/]+)\//m.exec(read('Dockerfile')) ?? [];
  expect(Object.keys(dependencies)).toContain(name);
});
