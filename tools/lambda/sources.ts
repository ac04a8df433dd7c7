/** Stacks that name lines of the sources. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/**
 * Makes the stacks of errors name the lines of the sources from which this file was bundled. Its source map is read with the first stack:
 * Node's `--enable-source-maps` reads it at each start.
 */
export const showSources = (file: string): void => {
  let map: SourceMap | undefined;

  const sourceOf = (line: number, column: number): string => {
    map ??= new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    const found = map.findEntry(line - 1, column - 1);
    if (!('originalSource' in found)) return `${file}:${line}:${column}`;
    return `${found.originalSource.replace(/^(\.\.\/)+/, '')}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  };

  const shown = (site: NodeJS.CallSite): string => {
    const [line, column] = [site.getLineNumber() ?? 0, site.getColumnNumber() ?? 0];
    if (site.getFileName() !== file || line === 0) return `${site}`;
    return `${site}`.replace(`${file}:${line}:${column}`, () => sourceOf(line, column));
  };

  Error.prepareStackTrace = (error, sites) =>
    [Error.prototype.toString.call(error), ...sites.map((site) => `    at ${shown(site)}`)].join('\n');
};
