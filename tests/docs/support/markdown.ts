/** Reads the repository's markdown: its sections, tables, code blocks and links. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..', '..');

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The files under a folder of the repository whose names end so, by their path from the root. */
export const filesUnder = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

/** Every markdown file of the repository, without what is installed or generated. */
export const markdownFiles = (): string[] => [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples', 'tests', 'tools'].flatMap((folder) => filesUnder(folder, '.md')),
];

/** The text under a heading, up to the next heading of its level or above. */
export const section = (text: string, heading: string): string => {
  const level = heading.indexOf(' ');
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`There is no heading "${heading}".`);
  const body = text.slice(start + heading.length + 2);
  const end = body.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? body : body.slice(0, end);
};

/** The cells of each table row whose first cell begins with code, by the text of that code. The first cell has index 1. */
export const rowsOf = (text: string): [name: string, cells: string[]][] =>
  text.split('\n').flatMap((line) => {
    const name = /^\| `([^`]+)`/.exec(line)?.[1];
    return name === undefined ? [] : [[name, line.split('|').map((cell) => cell.trim())] as [string, string[]]];
  });

/** The texts in backticks. */
export const codesIn = (text: string): string[] => [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code);

/** The contents of the code blocks in this language. */
export const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);

export const sorted = (values: Iterable<string>): string[] => [...values].sort();

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

export const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, line = '']) => anchorOf(line));

/** The links, images included, that lead to another place in the repository. */
export const linksWithin = (text: string): { link: string; path: string; anchor: string | undefined }[] =>
  [...text.matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g)].map(([link, path = '', anchor]) => ({
    link,
    path,
    anchor,
  }));
