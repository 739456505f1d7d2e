// Signing in: the browser keeps the credential of the API where no script can read it, in a cookie, and sends it along by
// itself. Whoever stands before the API makes the header of it that the API knows: a function at the edge
// (lib/session.cf.js, the same rule), or the gateway of `npm start`.

import { RequestError } from '../errors.ts';

/** The prefix has browsers take it from this very host only, over a secure connection, for all of its paths. */
export const SESSION_COOKIE = '__Host-instant-hls';

const SESSION_SECONDS = 30 * 24 * 3600;

// Never sent with a request that another site makes. What another host of our own site makes is told by Sec-Fetch-Site.
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';

/**
 * What `Set-Cookie` says to keep the credential of an `Authorization: Bearer …` that has been admitted.
 * @throws RequestError INVALID_REQUEST for one that no cookie can hold
 */
export function sessionCookie(authorization: string): string {
  const credential = /^Bearer ([\w.~+/=-]{1,3800})$/.exec(authorization)?.[1];
  if (!credential) {
    throw new RequestError(
      400,
      'INVALID_REQUEST',
      'The credential has characters, or a length, that no cookie can hold.',
    );
  }
  return `${SESSION_COOKIE}=${credential}; Max-Age=${SESSION_SECONDS}; ${ATTRIBUTES}`;
}

export const NO_SESSION_COOKIE = `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

/** The `Authorization` that a request stands for which brings the cookie; undefined where it counts for nothing. */
export function sessionAuthorization(
  headers: Readonly<Record<string, string | undefined>>,
): string | undefined {
  // Browsers say who makes a request, and no page can make them say otherwise.
  if (headers['sec-fetch-site'] !== 'same-origin') return undefined;
  for (const cookie of (headers['cookie'] ?? '').split(/; */)) {
    const [name, credential] = cookie.split(/=(.*)/s);
    if (name === SESSION_COOKIE && credential) return `Bearer ${credential}`;
  }
  return undefined;
}
