// What AWS's services take and no more, so that what stands in their place (`local/`) and what calls them agree.

// S3. Sources: AWS, "Amazon S3 multipart upload limits", "ListObjectsV2", "DeleteObjects", "Naming objects", and
// "Error responses" (RequestTimeTooSkewed).

export const MAX_PARTS = 10_000;
/** The last part of a file may have less. */
export const MIN_PART_BYTES = 5 * 1024 ** 2;
/** What one request can carry: a PUT, a form, or a part. */
export const MAX_REQUEST_BYTES = 5 * 1024 ** 3;
/** Keys, or parts, on one page of a listing. */
export const MAX_LISTED = 1000;
/** By one request. */
export const MAX_DELETED_KEYS = 1000;
export const MAX_KEY_BYTES = 1024;
/** How far the time that a request is signed with may be from the store's own. */
export const MAX_CLOCK_SKEW_MS = 15 * 60 * 1000;

// Lambda. Source: AWS, "Lambda quotas", "How Lambda handles errors and retries with asynchronous invocation".

export const MAX_EVENT_MIB = 6;
/** How long an asynchronous call waits for a free execution before it is dropped. */
export const MAX_EVENT_AGE_SECONDS = 6 * 3600;

/** API Gateway hangs up then. Source: AWS, "Quotas for HTTP APIs". */
export const GATEWAY_TIMEOUT_SECONDS = 30;

/** CloudFront waits no longer for the first byte of an origin. Source: AWS, "Response timeout". */
export const ORIGIN_TIMEOUT_SECONDS = 60;
