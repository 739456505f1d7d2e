// Runs in CloudFront Functions (runtime 2.0) before the cache is asked, where playback is public: a path that no artifact
// has, and an id that nobody was given, are answered 404 here, as neither bucket nor function needs to be asked for them.
// The rules are core/access/video-id.ts's and core/artifacts/artifacts.ts's. This runtime knows neither modules of ours nor
// destructuring, classes, for-of or ?., takes 10 KB of source, and ends a call after about a millisecond of work.

import cf from 'cloudfront';
import crypto from 'crypto';

const store = cf.kvs();

const PATH = /^\/v\/([0-9a-z]{22})([0-9a-z]{12})\/(?:([0-9a-f]{10})\/)?([\w-]+(?:\/[\w-]+)?\.\w+)$/;
const OF_VIDEO = /^(?:master\.m3u8|poster\.jpg|storyboard\.vtt|thumb\/\d{1,6}\.jpg)$/;
const OF_REVISION =
  /^(?:poster\.jpg|storyboard\.vtt|(?:thumb|storyboard)\/\d{1,6}\.jpg|[0-9a-z-]{1,16}\/(?:index\.m3u8|(?:\d{5,6}|init)\.[0-9a-z]{2,4}))$/;

async function handler(event) {
  const request = event.request;
  const found = PATH.exec(request.uri);
  if (!found || !(found[3] ? OF_REVISION : OF_VIDEO).test(found[4])) {
    return refusal('There is no such artifact.');
  }
  return (await mayExist(found[1], found[2])) ? request : refusal('There is no such video.');
}

/** Also where that cannot be told. Nobody sees anything by it that he would not see else: the id is what opens a video. */
async function mayExist(start, check) {
  try {
    // There is none until the store holds every id from before ids were checked (lib/video-ids.lambda.ts).
    const key = await store.get('key');
    return equal(check, checkValue(start, key)) || (await store.exists(start + check));
  } catch (error) {
    return true;
  }
}

function checkValue(start, key) {
  const hash = crypto.createHmac('sha256', key).update(start).digest('hex');
  let value = '';
  for (let index = 0; index < 12; index += 1) {
    value += (parseInt(hash.slice(4 * index, 4 * index + 4), 16) % 36).toString(36);
  }
  return value;
}

/** In the same time for every guess: there is no timingSafeEqual here. */
function equal(given, wanted) {
  let difference = 0;
  for (let index = 0; index < wanted.length; index += 1) {
    difference |= given.charCodeAt(index) ^ wanted.charCodeAt(index);
  }
  return difference === 0;
}

function refusal(message) {
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: {
      'content-type': { value: 'application/json' },
      'cache-control': { value: 'no-store' },
      'access-control-allow-origin': { value: '*' }, // or a page of another origin could not read why
    },
    body: { encoding: 'text', data: JSON.stringify({ code: 'NOT_FOUND', message: message }) },
  };
}
