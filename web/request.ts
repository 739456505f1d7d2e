// One request to the server that gave out the page, and how often one is made anew.

/** No whole answer: the server is down, or the network is. */
export class ServerGone extends Error {
  override name = 'ServerGone';
}

/** The server's "no": a status, and its `{ code, message }` where it sent one. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string | undefined;
  constructor(status: number, code: string | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /**
   * API Gateway itself answers so, before the API is asked and with no `code`: 401 for a request without a key, 403 for
   * one with a wrong key. The API knows 401 only; its own 403 are about tokens.
   */
  get isKeyRefused(): boolean {
    return this.status === 401 || (this.status === 403 && this.code === undefined);
  }
}

/** Longer than the server takes for any answer: API Gateway hangs up after half a minute. */
const SILENCE_MS = 60_000;

/** Resolves with the parsed answer. @throws ServerGone, ApiError */
export async function request<T>(
  method: string,
  path: string,
  apiKey: string | undefined,
  body?: object,
): Promise<T> {
  const gone = (error: Error) => {
    throw new ServerGone(`${method} ${path}: ${error.message}`);
  };
  const headers = new Headers();
  if (apiKey) headers.set('Authorization', `Bearer ${apiKey}`);
  if (body) headers.set('Content-Type', 'application/json');
  const response = await fetch(path, {
    method,
    headers,
    cache: 'no-store',
    body: body && JSON.stringify(body),
    // What changes something may have been done when nobody waits for it any more.
    ...(method === 'GET' ? { signal: AbortSignal.timeout(SILENCE_MS) } : {}),
  }).catch(gone);
  if (response.status === 204) return undefined as T;
  const answer = parsed(await response.text().catch(gone));
  if (!response.ok) throw new ApiError(response.status, answer?.code, answer?.message ?? response.statusText);
  if (answer === undefined) return gone(new Error('the answer is not JSON'));
  return answer as T;
}

/** A proxy in between answers errors in HTML, and the login page of a hotel everything. */
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How soon a page asks anew for what it cannot begin without, where nobody presses the button. */
export const RELOAD_MS = 10_000;

const PAUSES_MS = [500, 1500];

/** Makes a request anew that failed by what passes by itself. Only for what is harmless to do twice. */
export async function patiently<T>(request: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await request();
    } catch (error) {
      if (!passesByItself(error)) throw error;
    }
    // Not all pages at once: a server that is too busy would be so again.
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  }
  return request();
}

const STORAGE_FULL = 507;

/** Whether the same request may well succeed in a while: the line broke, or the server was too busy. */
export function passesByItself(error: unknown): boolean {
  if (error instanceof ServerGone) return true;
  return error instanceof ApiError && isPassing(error.status);
}

export const isPassing = (status: number): boolean =>
  status !== STORAGE_FULL && // somebody has to make space
  (status >= 500 || status === 408 || status === 429);
