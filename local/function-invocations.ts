// The one call of Lambda's own API that operators make, Invoke, answered by functions of this process.
// Source: AWS, "Lambda API Reference: Invoke".

import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { sendJson } from './web-server.ts';
import type { Handler } from './web-server.ts';

type InvokedFunction = (event: unknown) => Promise<unknown>;

/** Where AWS asks for a signature, this asks for the API key: any page that is open on this machine can send a request. */
export function functionInvocations(functions: Record<string, InvokedFunction>, apiKey: string): Handler {
  return async (request, response) => {
    const name = /\/2015-03-31\/functions\/(\w+)\/invocations$/.exec(request.url ?? '')?.[1];
    const invoked = name === undefined ? undefined : functions[name];
    if (!invoked || request.method !== 'POST') return false;
    if (request.headers.authorization !== `Bearer ${apiKey}`) {
      const message = 'The request needs the header Authorization: Bearer API_KEY.';
      return sendJson(response, 401, { code: 'UNAUTHORIZED', message });
    }
    try {
      sendJson(response, 200, (await invoked(await eventIn(request))) ?? null);
    } catch (error) {
      // As Lambda does: the call went well, the function did not.
      const { name: errorType, message: errorMessage } = error as Error;
      response.setHeader('x-amz-function-error', 'Unhandled');
      sendJson(response, 200, { errorType, errorMessage });
    }
    return;
  };
}

async function eventIn(request: IncomingMessage): Promise<unknown> {
  const body = await text(request);
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return {}; // the function says what it takes
  }
}
