// A form such as a page fills in to upload with, and the policy that its owner signed for it.

import { createHmac } from 'node:crypto';

export type Condition = Record<string, string> | [string, string | number, string | number];

export interface FormSigner {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** The fields a page must send before its file. */
export function signedFields(
  signer: FormSigner,
  { conditions, fields, expiresMs }: Offer,
): Record<string, string> {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = date.slice(0, 8);
  const ours = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${signer.accessKeyId}/${day}/${signer.region}/s3/aws4_request`,
    'x-amz-date': date,
  };
  const policy = Buffer.from(
    JSON.stringify({
      expiration: new Date(expiresMs).toISOString(),
      conditions: [...conditions, ...Object.entries(ours).map(([name, value]) => ({ [name]: value }))],
    }),
  ).toString('base64');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const signingKey = [day, signer.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${signer.secretAccessKey}`,
  );
  return { ...fields, ...ours, policy, 'x-amz-signature': hmac(signingKey, policy).toString('hex') };
}

interface Offer {
  conditions: Condition[];
  fields: Record<string, string>;
  expiresMs: number;
}

export function formOf(fields: Record<string, string>, file: Blob, fileName: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file, fileName);
  return form;
}
