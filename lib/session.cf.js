// Runs in CloudFront Functions (runtime 2.0) before the API is asked: of the cookie of whoever has signed in the header
// is made that the API's authorizer knows. The rule is core/access/session.ts's; this runtime knows no modules of ours.

function handler(event) {
  const request = event.request;
  const cookie = request.cookies['__Host-instant-hls'];
  const site = request.headers['sec-fetch-site'];
  delete request.cookies['__Host-instant-hls']; // nobody behind us needs it
  if (!request.headers.authorization && cookie && cookie.value && site && site.value === 'same-origin') {
    request.headers.authorization = { value: `Bearer ${cookie.value}` };
  }
  return request;
}
