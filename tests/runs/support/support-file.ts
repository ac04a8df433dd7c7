import { fileURLToPath } from 'node:url';

/** The path of a file in this folder, such as `processors/good.ts`. */
export const runsSupportFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
