// What CloudFormation makes of a template's references: each resource gets a physical name, and intrinsic functions
// become text.

import type { Json, Template } from '../../lib/support/variants.ts';

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** What `Ref` and `Fn::GetAtt` answer, for the types whose names our functions and the state machine are told. */
const NAMES: Readonly<Record<string, (id: string) => Record<string, string>>> = {
  'AWS::S3::Bucket': (id) => ({ Ref: bucketName(id), Arn: `arn:aws:s3:::${bucketName(id)}` }),
  'AWS::Lambda::Function': (id) => ({
    Ref: id,
    Arn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${id}`,
  }),
  'AWS::Lambda::LayerVersion': (id) => ({ Ref: `arn:aws:lambda:${REGION}:${ACCOUNT}:layer:${id}:1` }),
  'AWS::StepFunctions::StateMachine': (id) => ({
    Ref: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${id}`,
  }),
  'AWS::SecretsManager::Secret': (id) => ({
    Ref: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}-a1B2c3`,
  }),
  'AWS::CloudFront::Distribution': () => ({
    Ref: 'EDFDVBD6EXAMPLE',
    DomainName: 'd111111abcdef8.cloudfront.net',
  }),
  'AWS::ApiGatewayV2::Authorizer': (id) => ({ Ref: id.toLowerCase() }),
  'AWS::ApiGatewayV2::Integration': (id) => ({ Ref: id.toLowerCase() }),
};

const bucketName = (id: string): string => id.toLowerCase();

export function resolver(template: Template): (value: Json) => Json {
  const nameOf = (id: string, attribute: string): string => {
    if (PSEUDO[id]) return PSEUDO[id];
    const type = template.Resources[id]?.Type;
    const name = NAMES[type ?? '']?.(id)[attribute];
    if (name === undefined) throw new Error(`${attribute} of ${id} (${type}) has no name here`);
    return name;
  };

  const intrinsics: Readonly<Record<string, (argument: Json) => Json>> = {
    Ref: (id: string) => nameOf(id, 'Ref'),
    'Fn::GetAtt': ([id, attribute]: [string, string]) => nameOf(id, attribute),
    'Fn::Join': ([separator, parts]: [string, Json[]]) => parts.map(resolve).join(separator),
    'Fn::Select': ([index, values]: [number, Json]) => resolve(values)[index],
    'Fn::Split': ([separator, text]: [string, Json]) => resolve(text).split(separator),
    'Fn::Sub': (text: string) => text.replaceAll(/\$\{([\w:]+)\}/g, (_, id: string) => nameOf(id, 'Ref')),
  };

  function resolve(value: Json): Json {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const [[key, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length === 0 && intrinsics[key]) return intrinsics[key](argument);
    if (key.startsWith('Fn::')) throw new Error(`${key} is not known here`);
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part)]));
  }
  return resolve;
}
