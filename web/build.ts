// Makes the pages' files: index.html, watch.html and embed.html, and under /assets/ everything else under names that
// tell the content, to be cached for a year. Whoever serves the folder adds /config.json and a content security policy, and fills
// in of which video the latter two are (pipeline/http/watch-pages.ts).

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const PAGES = ['index.html', 'watch.html', 'embed.html'];

/** Writes the pages and `assets/` into a folder, and clears away the assets of an earlier build. */
export async function buildPage(outDirectory: string): Promise<void> {
  const assets = join(outDirectory, 'assets');
  await rm(assets, { recursive: true, force: true });
  await mkdir(assets, { recursive: true });

  const icon = await copyHashed(join(HERE, 'favicon.svg'), assets);
  const { metafile } = await build({
    absWorkingDir: HERE,
    entryPoints: ['main.ts', 'watch.ts', 'style.css', 'player/player.css', 'library/library.css'],
    outdir: outDirectory,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    assetNames: 'assets/[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
    // hls.js minified by its makers is smaller than what esbuild makes of their readable build.
    alias: { 'hls.js': 'hls.js/dist/hls.min.mjs' },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });

  const built = Object.entries(metafile.outputs).map(([path, output]) => [output.entryPoint, basename(path)]);
  const names = new Map([...built, ['favicon.svg', icon]] as [string, string][]);
  // What a script imports at once is asked for with it, not after it.
  const imported = new Map(
    Object.values(metafile.outputs).map(({ entryPoint, imports }) => [
      entryPoint,
      imports.flatMap(({ kind, path }) => (kind === 'import-statement' ? [basename(path)] : [])),
    ]),
  );
  const icons = await readFile(join(HERE, 'icons.html'), 'utf8');
  for (const file of PAGES) {
    const page = (await readFile(join(HERE, file), 'utf8')).replace('<!-- icons -->', () => icons);
    await writeFile(join(outDirectory, file), withHashedNames(file, page, names, imported));
  }
}

function withHashedNames(
  page: string,
  html: string,
  names: ReadonlyMap<string, string>,
  imported: ReadonlyMap<string | undefined, string[]>,
): string {
  const preloads = (file: string) =>
    (imported.get(file) ?? []).map((name) => `<link rel="modulepreload" href="/assets/${name}" />`).join('');
  return html
    .replace(/<script [^>]*src="([^"]+)"/g, (script, file: string) => preloads(file) + script)
    .replace(/(href|src)="(?![#/])([^"]+)"/g, (_match, attribute, file) => {
      const name = names.get(file);
      if (!name) throw new Error(`${page} points to ${file}, which the build did not make`);
      return `${attribute}="/assets/${name}"`;
    });
}

async function copyHashed(path: string, folder: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 8);
  const name = `${basename(path, extname(path))}-${hash}${extname(path)}`;
  await cp(path, join(folder, name));
  return name;
}
