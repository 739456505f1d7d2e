// Findings of cdk-nag that we have looked at and live with, each with its reason, where the cause is.

import { CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param findings the reason by the finding's id */
export function acknowledge(scope: IConstruct, findings: Record<string, string>): void {
  for (const [id, reason] of Object.entries(findings)) Validations.of(scope).acknowledge({ id, reason });
}

/** The ids of one reason for several findings on wildcards in permissions. */
export const wildcards = (found: readonly string[], reason: string): Record<string, string> =>
  Object.fromEntries(found.map((finding) => [`AwsSolutions-IAM5[${finding}]`, reason]));

/** How a finding names a resource. */
export function logicalId(construct: IConstruct): string {
  const resource = CfnElement.isCfnElement(construct)
    ? construct
    : (construct.node.defaultChild as CfnElement);
  return Stack.of(construct).getLogicalId(resource);
}

/** CDK's functions that work during a deployment have this policy, which lets them write any log of the account. */
export const WRITES_ANY_LOG =
  'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]';
