import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { env } from 'node:process';

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The first executable of this name in these folders, then in PATH. */
export const findBinary = (name: string, folders: string[] = []): string | undefined =>
  [...folders, ...(env.PATH ?? '').split(delimiter)].map((folder) => join(folder, name)).find(isExecutable);
