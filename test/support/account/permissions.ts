// What each role of the template may do, as IAM would judge it: a request that no statement allows is denied. Functions
// are known by the session token of their credentials, which is in every request they make or sign.

import type { IncomingMessage } from 'node:http';
import { ofType } from '../../lib/support/variants.ts';
import type { Json, Template } from '../../lib/support/variants.ts';

/** Whether the role may do this with this resource, an ARN. */
export type May = (action: string, resource: string) => boolean;

/** Of services whose requests come by here; of others it is not asked. */
const SERVICES = ['s3', 'states', 'secretsmanager', 'lambda', 'cloudfront'];

/** @param role what a resource's `Role` or `RoleArn` says */
export function permissionsOf(role: Json, template: Template, resolve: (value: Json) => Json): May {
  const [roleId] = role['Fn::GetAtt'] as [string, string];
  const statements = ofType(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => Properties.Roles.some(({ Ref }: Json) => Ref === roleId))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Json[])
    .map(({ Action, ...rest }: Json) => ({ ...rest, actions: [Action].flat() as string[] }))
    .filter(({ actions }) => actions.some((action: string) => SERVICES.includes(action.split(':')[0]!)))
    .map(({ actions, Resource, ...rest }: Json) => {
      if (rest.Effect !== 'Allow' || rest.Condition) throw new Error(`${roleId}: only Allow is known here`);
      const resources = [Resource].flat().map((each) => pattern(resolve(each)));
      return { actions: (actions as string[]).map(pattern), resources };
    });
  return (action, resource) =>
    statements.some(
      ({ actions, resources }) =>
        actions.some((each) => each.test(action)) && resources.some((each) => each.test(resource)),
    );
}

const pattern = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

/** Whether a request names the objects that it deletes in its body. */
export const deletesMany = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'POST' && new URL(url, 'http://s3').searchParams.has('delete');

/**
 * The permissions that a request to S3 takes, as action and resource.
 * @param body of a request that deletes many objects
 */
export function s3Permissions(
  { method = '', url = '', headers }: IncomingMessage,
  body: Buffer | undefined,
): [string, string][] {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const list: [string, string] = ['s3:ListBucket', bucketArn];
  if (body) {
    const keys = [...body.toString().matchAll(/<Key>([^<&]+)<\/Key>/g)].map(([, each]) => each!);
    return keys.map((each) => ['s3:DeleteObject', `${bucketArn}/${each}`]);
  }
  if (!key) return [searchParams.has('uploads') ? ['s3:ListBucketMultipartUploads', bucketArn] : list];
  const objectArn = `${bucketArn}/${key}`;
  // Who replaces an object only if it is the one with this ETag learns which one it is.
  const reads: [string, string][] = headers['if-match'] ? [['s3:GetObject', objectArn]] : [];
  if (method === 'PUT' || method === 'POST') return [['s3:PutObject', objectArn], ...reads];
  if (method === 'DELETE') {
    return [[searchParams.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject', objectArn]];
  }
  if (searchParams.has('uploadId')) return [['s3:ListMultipartUploadParts', objectArn]];
  // Who may not list is told 403 of a missing key, and all of ours go by the 404.
  return [['s3:GetObject', objectArn], list];
}

/** The session token of whoever made a request, or signed its URL. */
export function sessionOf({ headers, url = '' }: IncomingMessage): string | undefined {
  const signed = new URL(url, 'http://aws').searchParams.get('X-Amz-Security-Token');
  return signed ?? (headers['x-amz-security-token'] as string | undefined);
}
