/** The commands that a release must pass, in order: what fails soon comes first. */

export type Step = {
  title: string;
  command: string[];
  /** The file that gets what the command prints. */
  output?: string;
};

const npmRun = (script: string, title: string): Step => ({ title, command: ['npm', 'run', '--silent', script] });

export const stepsOf = (scripts: Record<string, string>): Step[] => {
  /** Of scripts that not every checkout has. */
  const optional = (script: string, title: string): Step[] => (scripts[script] ? [npmRun(script, title)] : []);
  return [
    npmRun('lint', 'Lint'),
    npmRun('typecheck', 'Types'),
    npmRun('package', 'Package, publint and attw'),
    { title: 'Archive', command: ['npm', 'pack', './dist/package', '--pack-destination', 'dist'] },
    { ...npmRun('sbom', 'Bill of materials'), output: 'dist/sbom.json' },
    ...optional('bundle', 'Bundles'),
    npmRun('test', 'Tests'),
    npmRun('test:slow', 'Slow tests, with the upgrade from the last release and back'),
    ...optional('test:containers', 'Containers'),
  ];
};
