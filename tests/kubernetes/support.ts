/** The Kubernetes objects of files under `deploy/kubernetes`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { rendered } from './helm.ts';

// biome-ignore lint/suspicious/noExplicitAny: the shapes are Kubernetes'. A field that is missing fails the test that reads it.
export type KubernetesObject = any;

export const objectsOf = (text: string): KubernetesObject[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null);

export const readObjects = (file: string): KubernetesObject[] => objectsOf(readFileSync(file, 'utf8'));

export const renderedFiles = (): string[] => readdirSync(rendered).sort();

export const renderedObjects = (): KubernetesObject[] =>
  renderedFiles().flatMap((name) => readObjects(join(rendered, name)));
