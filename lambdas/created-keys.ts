// What S3 tells of objects that were created, as far as we ask.

import type { S3Event } from 'aws-lambda';

/** Their keys. In events they are written as in the query of a URL. */
export const createdKeys = ({ Records }: S3Event): string[] =>
  Records.map(({ s3 }) => decodeURIComponent(s3.object.key.replaceAll('+', ' ')));
