/** What holds for every markdown file: readable tables, links that lead somewhere, examples that parse. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { anchorsOf, blocksOf, codesIn, linksWithin, markdownFiles, read, root } from './support/markdown.ts';

const longestRow = 160;
const longestReadme = 150;

const isDead = (document: string, path: string, anchor: string | undefined): boolean => {
  const target = path ? join(dirname(document), path) : document;
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
};

describe.each(markdownFiles())('%s', (document) => {
  const text = read(document);

  test('links only to files and headings that exist', () => {
    const dead = linksWithin(text).filter(({ path, anchor }) => isDead(document, path, anchor));
    expect(dead.map(({ link }) => link)).toEqual([]);
  });

  test('names only files and folders that exist', () => {
    const named = codesIn(text).filter((code) => /^(docs|examples|functions|lib|tests|tools)\/[\w./-]+$/.test(code));
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test(`has no table row longer than ${longestRow} characters`, () => {
    expect(text.split('\n').filter((line) => line.startsWith('|') && line.length > longestRow)).toEqual([]);
  });

  test('shows only valid JSON as JSON', () => {
    for (const block of blocksOf(text, 'json')) expect(() => JSON.parse(block)).not.toThrow();
  });
});

test(`the README has at most ${longestReadme} lines`, () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(longestReadme);
});

test('the README links to every page of the documentation', () => {
  const linked = linksWithin(read('README.md')).map(({ path }) => path);
  const pages = markdownFiles().filter((file) => /^docs\/[^/]+\.md$/.test(file));
  expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
});
