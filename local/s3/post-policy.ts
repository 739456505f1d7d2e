// The policy of a POST form: what its signer allows to be uploaded. Source: AWS, "POST policy" and
// "Authenticating requests in browser-based uploads using POST".

import { z } from 'zod';
import { S3Error } from './errors.ts';
import { checkScope, isSignedBy, type Keyring } from './signature.ts';

export interface SizeLimits {
  minBytes: number;
  maxBytes: number;
}

const Name = z.string().startsWith('$');
const Condition = z.union([
  z.tuple([z.string().regex(/^content-length-range$/i), z.coerce.number(), z.coerce.number()]),
  z.tuple([z.string().regex(/^(eq|starts-with)$/i), Name, z.string()]),
  z.record(z.string(), z.string()),
]);
const Policy = z.object({ expiration: z.iso.datetime(), conditions: z.array(Condition) });

// Fields no condition need cover; any other might be an addition of whoever carries the form.
const FREE = /^(policy|x-amz-signature|file|x-ignore-.*)$/;

/**
 * Throws unless the fields (by lower-case name, with `bucket` among them) are what the keyring's owner signed.
 * @returns what the policy says of the file's size
 */
export function checkPolicy(
  fields: ReadonlyMap<string, string>,
  keyring: Keyring,
  nowMs: number,
): SizeLimits {
  const policy = signedPolicy(fields, keyring);
  if (nowMs > Date.parse(policy.expiration)) throw refused('Policy expired.');

  const limits = { minBytes: 0, maxBytes: Infinity };
  const covered = new Set<string>();
  const expect = (name: string, holds: (value: string) => boolean, condition: unknown) => {
    covered.add(name.toLowerCase());
    if (!holds(fields.get(name.toLowerCase()) ?? '')) {
      throw refused(`Policy Condition failed: ${JSON.stringify(condition)}`);
    }
  };
  for (const condition of policy.conditions) {
    if (!Array.isArray(condition)) {
      for (const [name, wanted] of Object.entries(condition)) {
        expect(name, (value) => value === wanted, ['eq', `$${name}`, wanted]);
      }
    } else if (typeof condition[1] === 'number') {
      limits.minBytes = Math.max(limits.minBytes, condition[1]);
      limits.maxBytes = Math.min(limits.maxBytes, Number(condition[2]));
    } else {
      const [operator, name, wanted] = condition as [string, string, string];
      const holds =
        operator.toLowerCase() === 'eq'
          ? (value: string) => value === wanted
          : (value: string) => value.startsWith(wanted);
      expect(name.slice(1), holds, condition);
    }
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !FREE.test(name));
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.join(', ')}`);
  return limits;
}

function signedPolicy(fields: ReadonlyMap<string, string>, keyring: Keyring): z.output<typeof Policy> {
  const field = (name: string) => {
    const value = fields.get(name);
    if (value === undefined)
      throw new S3Error('InvalidArgument', `Bucket POST must contain a field named '${name}'.`);
    return value;
  };
  if (!fields.has('policy')) throw new S3Error('AccessDenied'); // nobody vouches for it
  const [encoded, date] = [field('policy'), field('x-amz-date')];
  if (field('x-amz-algorithm') !== 'AWS4-HMAC-SHA256') {
    throw new S3Error('InvalidArgument', 'x-amz-algorithm only supports AWS4-HMAC-SHA256.');
  }
  checkScope({ credential: field('x-amz-credential'), date, presigned: false }, keyring);
  if (!isSignedBy(keyring, date.slice(0, 8), encoded, field('x-amz-signature'))) {
    throw new S3Error('SignatureDoesNotMatch', undefined, { StringToSign: encoded });
  }
  try {
    return Policy.parse(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
  } catch {
    throw new S3Error('InvalidPolicyDocument');
  }
}

function refused(why: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${why}`);
}
