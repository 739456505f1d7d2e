// What the pages need from the network, and nothing more. Whoever serves one sends this as a header.

/**
 * @param uploadOrigins where presigned uploads go, if elsewhere: `https://{bucket}.s3.{region}.amazonaws.com`
 * @param frameAncestors whose pages may show this one in a frame: nobody's, or anybody's
 */
export function contentSecurityPolicy(
  uploadOrigins: readonly string[] = [],
  frameAncestors: "'none'" | '*' = "'none'",
): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // MediaSource reaches the <video> by a blob: URL; Safari plays the playlist itself. hls.js empties a list of text
    // tracks by a track from a data: URL.
    "media-src 'self' blob: data:",
    ['connect-src', "'self'", ...uploadOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'none'", // the page's forms are answered by script
    `frame-ancestors ${frameAncestors}`,
  ].join('; ');
}
