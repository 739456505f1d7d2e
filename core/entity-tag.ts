// Entity tags, as a client sends back those that it holds (RFC 9110, sections 8.8.3 and 13.1.2).

/** Whether an `If-None-Match` names what is there: by the weak comparison, in which `W/"a"` and `"a"` are the same. */
export function isHeld(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const held = [...ifNoneMatch.matchAll(/"[^"]*"/g)].map(([tag]) => tag);
  return etag !== undefined && held.includes(etag.replace(/^W\//, ''));
}
