// Runs in CloudFront Functions (runtime 2.0) before the cache is asked: /v/{token}/{id}/… becomes /v/{id}/…, or 403.
// The rule is core/access/playback-token.ts's. This runtime knows neither modules of ours nor destructuring, classes, for-of
// or ?., takes 10 KB of source, and ends a call after about a millisecond of work.

import cf from 'cloudfront';
import crypto from 'crypto';

const secrets = cf.kvs();

// After the id only names, dots inside of them: whoever resolves `..`, or `%2e%2e`, behind us would otherwise be led from
// the video of the token to any other.
const PROTECTED = /^\/v\/([ab])\.(\d{10})\.([\w-]{43})\/([0-9a-z]+)((?:\/[\w-]+(?:\.[\w-]+)*)+)$/;

async function handler(event) {
  const request = event.request;
  const found = PROTECTED.exec(request.uri);
  if (!found) return refusal('The address holds no playback token.');
  const name = found[1];
  const expires = found[2];
  const given = found[3];
  const id = found[4];
  if (Number(expires) * 1000 <= Date.now()) return refusal('The playback token has expired.');

  let secret;
  try {
    secret = await secrets.get(name);
  } catch (error) {
    return refusal('The playback token is not valid.'); // a name that holds nothing, yet or any more
  }
  const wanted = crypto.createHmac('sha256', secret).update(`${id}.${expires}`).digest('base64url');
  if (!equal(given, wanted)) return refusal('The playback token is not valid.');

  request.uri = `/v/${id}${found[5]}`;
  return request;
}

/** In the same time for every guess: there is no timingSafeEqual here. */
function equal(given, wanted) {
  let difference = given.length ^ wanted.length;
  for (let index = 0; index < wanted.length; index += 1) {
    difference |= given.charCodeAt(index) ^ wanted.charCodeAt(index);
  }
  return difference === 0;
}

function refusal(message) {
  return {
    statusCode: 403,
    statusDescription: 'Forbidden',
    headers: {
      'content-type': { value: 'application/json' },
      'cache-control': { value: 'no-store' },
      'access-control-allow-origin': { value: '*' }, // or a page of another origin could not read why
    },
    body: { encoding: 'text', data: JSON.stringify({ code: 'FORBIDDEN', message: message }) },
  };
}
