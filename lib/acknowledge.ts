// Findings of cdk-nag that we have looked at and live with, each with its reason, where the cause is.

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param findings the reason by the finding's id */
export function acknowledge(scope: IConstruct, findings: Record<string, string>): void {
  for (const [id, reason] of Object.entries(findings)) Validations.of(scope).acknowledge({ id, reason });
}
