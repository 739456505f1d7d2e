// How files come onto the page: chosen in the browser's dialog, or dropped anywhere.

import { byId } from '../library/pieces.ts';
import type { Store } from '../library/store.ts';
import { NOT_A_FILE } from '../problems.ts';

export interface ChoosingOptions {
  store: Store;
  onFiles(files: readonly File[]): void;
}

export function listenToFiles(options: ChoosingOptions): void {
  const { onFiles } = options;
  const input = byId<HTMLInputElement>('file-input');
  byId('drop-zone').addEventListener('click', ({ target }) => {
    if (!(target as Element).closest('label, input, button')) input.click();
  });
  input.addEventListener('change', () => {
    onFiles([...(input.files ?? [])]);
    input.value = ''; // so that the same file can be chosen again
  });
  listenToDrops(options);
}

/** The whole page takes drops: a file that misses the zone would otherwise replace the page. */
function listenToDrops({ store, onFiles }: ChoosingOptions): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    if (!store.state().dragging) store.set({ dragging: true });
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) store.set({ dragging: false });
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    store.set({ dragging: false });
    const items = [...(event.dataTransfer?.items ?? [])];
    const files = items.flatMap((item) =>
      item.webkitGetAsEntry()?.isDirectory ? [] : (item.getAsFile() ?? []),
    );
    if (files.length > 0) onFiles(files);
    if (files.length < items.length) store.set({ notice: NOT_A_FILE });
  });
}
