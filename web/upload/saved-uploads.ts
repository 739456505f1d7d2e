// Uploads that a closed page left unfinished, kept in this browser so that it can go on with them. The parts themselves
// are in the store, for three days.

import type { BegunUpload } from '../api.ts';

export interface SavedUpload extends BegunUpload {
  id: string;
  uploadUrl: string;
  name: string;
  sizeBytes: number;
  lastModified: number;
}

const PREFIX = 'instant-hls.upload.';

// Storage may be switched off, or full: then nothing is kept.

export function saveUpload(upload: SavedUpload): void {
  try {
    localStorage.setItem(PREFIX + upload.id, JSON.stringify(upload));
  } catch {
    // see above
  }
}

export function forgetUpload(id: string): void {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // see above
  }
}

/** All that no other tab is sending now, the oldest first. */
export async function savedUploads(): Promise<SavedUpload[]> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const busy = new Set(held.map(({ name }) => name));
  try {
    return Object.entries(localStorage)
      .filter(([name]) => name.startsWith(PREFIX) && !busy.has(name))
      .flatMap(([, text]) => parsed(text as string))
      .sort((a, b) => b.id.localeCompare(a.id)); // ids count down
  } catch {
    return [];
  }
}

/** Nothing, where somebody else has written there. */
function parsed(text: string): SavedUpload[] {
  try {
    const saved = JSON.parse(text) as SavedUpload | null;
    return saved?.id && saved.uploadId ? [saved] : [];
  } catch {
    return [];
  }
}

/** While `send` runs, other tabs leave this upload alone. Browsers have locks on secure pages only. */
export const whileHeld = <T>(id: string, send: () => Promise<T>): Promise<T> =>
  navigator.locks ? navigator.locks.request(PREFIX + id, { mode: 'shared' }, send) : send();

export const isSameFile = ({ name, sizeBytes, lastModified }: SavedUpload, file: File): boolean =>
  file.name === name && file.size === sizeBytes && file.lastModified === lastModified;
