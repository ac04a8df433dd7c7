/** The versions of Node that Lanekeeper runs on. Every Node can load this file: it is what tells an old one that it is too old. */

/** As package.json has it in `engines`. It is what `which` asks for, the narrowest of the dependencies. */
export const nodeVersions = '^22.22.2 || ^24.15.0 || >=26.0.0';

const numberOf = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return (major * 1_000 + minor) * 1_000 + patch;
};

/** @param version such as `24.15.0`. */
export const isSupportedNode = (version: string): boolean =>
  nodeVersions.split(' || ').some((range) => {
    const least = range.replace(/^\D+/, '');
    const isSameMajor = Number.parseInt(version, 10) === Number.parseInt(least, 10);
    return numberOf(version) >= numberOf(least) && (isSameMajor || range.startsWith('>='));
  });

export const whichNode = `Lanekeeper needs Node.js ${nodeVersions}.`;
