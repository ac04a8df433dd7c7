/** Prometheus and promtool: those of this machine, or Debian's package, unpacked into a cache folder. No service is installed. */
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { execa } from 'execa';
import { findBinary } from '../../../tools/services/processes.ts';
import { cacheOf } from '../../support/cache.ts';

export type PrometheusPrograms = { prometheus: string; promtool: string };

const cache = cacheOf();
const unpacked = cacheOf('prometheus');
const downloadTimeoutMs = 120_000;

const programsIn = (folder: string): PrometheusPrograms => ({
  prometheus: join(folder, 'prometheus'),
  promtool: join(folder, 'promtool'),
});

const download = async (): Promise<void> => {
  mkdirSync(cache, { recursive: true });
  // In another folder first, so that a half-unpacked program is never run.
  const part = mkdtempSync(join(cache, 'part-'));
  const sandbox = getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  await execa('apt-get', [...sandbox, 'download', 'prometheus'], { cwd: part, timeout: downloadTimeoutMs });
  const [archive] = globSync(join(part, 'prometheus_*.deb'));
  await execa('dpkg-deb', ['--extract', archive ?? '', part]);
  rmSync(unpacked, { recursive: true, force: true });
  renameSync(part, unpacked);
};

/** Why there is none, in a sentence, where it cannot be had. */
export const findPrometheus = async (): Promise<PrometheusPrograms | string> => {
  const [prometheus, promtool] = [findBinary('prometheus'), findBinary('promtool')];
  if (prometheus && promtool) return { prometheus, promtool };
  const found = programsIn(join(unpacked, 'usr', 'bin'));
  if (existsSync(found.promtool)) return found;
  if (!findBinary('apt-get') || !findBinary('dpkg-deb'))
    return 'Prometheus is not installed, and this is not Debian, whose package could be unpacked.';
  try {
    await download();
    return found;
  } catch (error) {
    return `Debian's package prometheus could not be downloaded (run apt-get update): ${(error as Error).message.split('\n')[0]}`;
  }
};
