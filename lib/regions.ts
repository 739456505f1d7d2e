// Where the pipeline cannot be deployed.

import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** AWS's documentation, "Creating and managing Lambda function URLs", as of November 2026. */
const WITHOUT_FUNCTION_URLS: ReadonlySet<string> = new Set([
  ...['ap-east-2', 'ap-south-2', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ...['ca-west-1', 'eu-central-2', 'eu-south-2', 'il-central-1', 'me-central-1'],
]);

/**
 * A stack that does not say its region is deployed to the one that the CDK's command line names.
 * @throws Error for a region in which CloudFront could ask nobody for what is not made yet
 */
export function refuseUnsupportedRegion(scope: Construct): void {
  const { region } = Stack.of(scope);
  const known = Token.isUnresolved(region) ? process.env['CDK_DEFAULT_REGION'] : region;
  if (known === undefined || !WITHOUT_FUNCTION_URLS.has(known)) return;
  throw new Error(
    `In ${known} there are no Lambda function URLs, through which CloudFront asks for what is not made yet. Deploy to another region: viewers everywhere are served by the edge next to them.`,
  );
}
