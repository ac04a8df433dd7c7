import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The files that the API serves, of the sources as they are now. */
export const buildConsole = (): void => {
  const script = fileURLToPath(new URL('../../../tools/bundle-console.ts', import.meta.url));
  execFileSync(process.execPath, ['--no-warnings', script], { stdio: 'pipe' });
};
