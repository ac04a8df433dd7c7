/** The type declarations of a package. By tsc: tsdown's own way does not work with TypeScript 7.0 for long. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { execa } from 'execa';
import { root } from './run-tool.ts';

/** Only of what these files need. */
export const buildDeclarations = async (files: string[], rootDir: string, outDir: string): Promise<void> => {
  const project = join(outDir, 'tsconfig.json');
  const compilerOptions = {
    // `npm run typecheck` checks.
    noCheck: true,
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, rewriteRelativeImportExtensions: true },
    ...{ rootDir, outDir, typeRoots: [join(root, 'node_modules', '@types')] },
  };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files };
  writeFileSync(project, JSON.stringify(config));
  await execa(execPath, [join(root, 'node_modules', '.bin', 'tsc'), '-p', project], { stdio: 'inherit' });
  rmSync(project);
};
