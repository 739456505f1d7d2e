// A secret of this machine: made at the first start, then kept beside the data, where nobody else can read it.

import { readFile, rename, writeFile } from 'node:fs/promises';

/** What the file holds as JSON; where there is none, `make`'s answer, which it holds from then on. */
export async function keptSecret<T>(path: string, make: () => T): Promise<T> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (text !== undefined) return parsed(path, text) as T;
  const made = make();
  const unfinished = `${path}.part`; // whoever is killed here leaves no half of a secret
  await writeFile(unfinished, JSON.stringify(made), { mode: 0o600 });
  await rename(unfinished, path);
  return made;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(
      `${path} is damaged. Delete it, and a new secret is made; what was signed with the old one ends.`,
    );
  }
}
