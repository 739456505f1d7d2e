// Templates of the stack in several variants, synthesised by one program for all tests of a file.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Variant } from './synthesise.ts';

/** A template is as loose as JSON is. */
export type Json = any;

export interface Template {
  Resources: Record<string, { Type: string; Properties: Json; [key: string]: Json }>;
  Outputs: Record<string, { Value: Json }>;
}

export interface Synthesised {
  /** @throws Error with what synthesis threw */
  template(name: string): Promise<Template>;
  path(name: string, file: string): string;
  error(name: string): Promise<string | undefined>;
  remove(): Promise<void>;
}

export const ROOT = join(import.meta.dirname, '..', '..', '..');

export async function synthesise(variants: readonly Variant[]): Promise<Synthesised> {
  const directory = await mkdtemp(join(tmpdir(), 'instant-hls-synth-'));
  const program = join(import.meta.dirname, 'synthesise.ts');
  await promisify(execFile)(process.execPath, [program, directory, JSON.stringify(variants)], {
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const error = (name: string) => readFile(join(directory, name, 'error.txt'), 'utf8').catch(() => undefined);
  return {
    error,
    path: (name, file) => join(directory, name, file),
    async template(name) {
      const thrown = await error(name);
      if (thrown) throw new Error(`synthesis of ${name}: ${thrown}`);
      const files = await readdir(join(directory, name));
      const file = files.find((each) => each.endsWith('.template.json'))!;
      return JSON.parse(await readFile(join(directory, name, file), 'utf8')) as Template;
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A template's resources of one type, with their logical ids. */
export const ofType = (
  template: Template,
  type: string,
): { id: string; Properties: Json; [key: string]: Json }[] =>
  Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => ({ id, ...resource }));

export const only = <T>(all: readonly T[]): T => {
  if (all.length !== 1) throw new Error(`There are ${all.length}, not one.`);
  return all[0]!;
};

/** The function whose bundle is made from this entry: they are told apart by their descriptions. */
export const functionThat = (template: Template, does: string): { id: string; Properties: Json } =>
  only(
    ofType(template, 'AWS::Lambda::Function').filter(({ Properties }) =>
      String(Properties.Description).startsWith(does),
    ),
  );
