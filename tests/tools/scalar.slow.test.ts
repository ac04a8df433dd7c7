/** lib/http/scalar has a file of an npm package, unchanged. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';
import { cacheOf } from '../support/cache.ts';

jest.setTimeout(300_000);

const folder = join(root, 'lib', 'http', 'scalar');
const source = JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8'));

/** The archive as the registry has it, fetched once. */
const archiveOf = async (name: string, version: string): Promise<string> => {
  const kept = cacheOf(`${name.replace('/', '-')}-${version}.tgz`);
  if (existsSync(kept)) return kept;
  mkdirSync(cacheOf(), { recursive: true });
  const place = mkdtempSync(cacheOf('pack-'));
  await execa('npm', ['pack', `${name}@${version}`, '--pack-destination', place], { cwd: place });
  renameSync(join(place, readdirSync(place)[0] ?? ''), kept);
  rmSync(place, { recursive: true });
  return kept;
};

test('the script of the reference page is that of its package', async () => {
  const archive = await archiveOf(source.name, source.version);
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  expect(integrity).toBe(source.integrity);
  const { stdout } = await execa('tar', ['-xzOf', archive, `package/${source.file}`], {
    ...{ encoding: 'buffer', maxBuffer: 50_000_000 },
  });
  const ours = gunzipSync(readFileSync(join(folder, 'standalone.js.gz')));
  expect(ours.equals(stdout)).toBe(true);
});
