/** What keeps a commit from being released, as sentences that say what to do. */

export type Candidate = {
  version: string;
  /** In package-lock.json. */
  lockVersion: string;
  /** The `appVersion` in Chart.yaml: the tag of the images that the chart installs. */
  chartVersion: string;
  changelog: string;
  /** Lines of `git status --porcelain`. */
  changedFiles: string[];
  tags: string[];
};

const shown = 5;

/** The text below the heading of a version, up to the next version. `undefined` without such a heading. */
const entryOf = (changelog: string, heading: RegExp): string | undefined => {
  const [, after] = changelog.split(heading, 2);
  return after?.split(/^## /m)[0]?.trim();
};

export const obstacles = (candidate: Candidate): string[] => {
  const { version, lockVersion, chartVersion, changelog, changedFiles, tags } = candidate;
  const found: string[] = [];
  const name = version.replaceAll('.', '\\.');
  const entry = entryOf(changelog, new RegExp(`^## \\[${name}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm'));
  if (!entry) found.push(`CHANGELOG.md has no entry "## [${version}] - YYYY-MM-DD" with text below it: write one.`);
  if (entryOf(changelog, /^## \[Unreleased\]$/m))
    found.push('CHANGELOG.md still has text under "## [Unreleased]": move it to the entry of this version.');
  if (lockVersion !== version)
    found.push(`package-lock.json has the version ${lockVersion}, package.json ${version}: run npm install.`);
  if (chartVersion !== version)
    found.push(
      `Chart.yaml has the appVersion ${chartVersion}, package.json ${version}: change it, and run npm run render:kubernetes.`,
    );
  if (tags.includes(`v${version}`))
    found.push(`The tag v${version} exists already: raise the version in package.json, or delete the tag.`);
  if (changedFiles.length > 0) {
    const more = changedFiles.length > shown ? `, and ${changedFiles.length - shown} more` : '';
    found.push(
      `${changedFiles.length} files are not committed: ${changedFiles.slice(0, shown).join(', ')}${more}. Commit them.`,
    );
  }
  return found;
};
