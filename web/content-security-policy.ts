// What the page needs from the network, and nothing more. Whoever serves it sends this as a header.

/** @param uploadOrigins where presigned uploads go, if elsewhere: `https://{bucket}.s3.{region}.amazonaws.com` */
export function contentSecurityPolicy(uploadOrigins: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:", // MediaSource reaches the <video> by a blob: URL; Safari plays the playlist itself
    ['connect-src', "'self'", ...uploadOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'none'", // the page's forms are answered by script
    "frame-ancestors 'none'",
  ].join('; ');
}

/** For a page whose API, playback and uploads have one origin. */
export const CONTENT_SECURITY_POLICY = contentSecurityPolicy();
