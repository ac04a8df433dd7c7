/** The commands that a release must pass, in order: what fails soon comes first. */

export type Step = {
  title: string;
  command: string[];
  /** The file that gets what the command prints. */
  output?: string;
};

const npmRun = (script: string, title: string): Step => ({ title, command: ['npm', 'run', '--silent', script] });

export const steps: Step[] = [
  npmRun('lint', 'Lint'),
  npmRun('typecheck', 'Types'),
  npmRun('package', 'Package, publint and attw'),
  { title: 'Archive', command: ['npm', 'pack', './dist/package', '--pack-destination', 'dist'] },
  { ...npmRun('sbom', 'Bill of materials'), output: 'dist/sbom.json' },
  npmRun('bundle', 'Bundles'),
  npmRun('test', 'Tests'),
  npmRun('test:slow', 'Slow tests, with the upgrade from the last release and back'),
  npmRun('test:containers', 'Containers'),
];
