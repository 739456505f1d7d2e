// A network without a way out: no gateway to the internet, no address translation, and of AWS only S3, of which only our
// buckets. Functions in it hear of their invocations, and write logs and traces, through Lambda itself. Names are resolved
// all the same: by what names it asks for, code can tell somebody something.

import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, wildcards } from './acknowledge.ts';

export interface ClosedNetworkProps {
  buckets: readonly s3.IBucket[];
}

export class ClosedNetwork extends Construct {
  readonly vpc: ec2.Vpc;
  readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { buckets }: ClosedNetworkProps) {
    super(scope, id);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Closed', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      restrictDefaultSecurityGroup: false, // its rules are set by a function during deployments; nobody is in it
    });
    const endpoint = this.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    endpoint.addToPolicy(
      new iam.PolicyStatement({
        // Whoever signed a request needs the permission as well; this says which requests get out at all.
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: buckets.map((bucket) => bucket.arnForObjects('*')),
      }),
    );
    this.securityGroup = new ec2.SecurityGroup(this, 'Group', {
      vpc: this.vpc,
      allowAllOutbound: false,
      description: 'Sandboxes: HTTPS, for which there is no way but that to S3',
    });
    this.securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'S3, through its endpoint');
    acknowledge(this.vpc, {
      'AwsSolutions-VPC7': 'Nothing leaves it but requests to S3, of which S3 can tell.',
    });
  }
}

/** What Lambda does in the name of a function's role, to connect its machines with a network. */
const CONNECTING = [
  ...['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface', 'ec2:DescribeNetworkInterfaces'],
  ...['ec2:DescribeSubnets', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
];

/**
 * Lets Lambda connect a function, and denies the same to the function's own code.
 * Source: AWS, "Giving Lambda functions access to resources in an Amazon VPC", required IAM permissions.
 */
export function allowConnecting(fn: lambda.Function): void {
  const { partition, region, account } = Stack.of(fn);
  // Its own ARN would be a circle: the function waits for its policy. No code of any function of this account may.
  const functions = `arn:${partition}:lambda:${region}:${account}:function:*`;
  fn.addToRolePolicy(new iam.PolicyStatement({ actions: CONNECTING, resources: ['*'] }));
  fn.addToRolePolicy(
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: CONNECTING,
      resources: ['*'],
      conditions: { ArnLike: { 'lambda:SourceFunctionArn': functions } },
    }),
  );
  acknowledge(
    fn.role!,
    wildcards(
      ['Resource::*'],
      'Lambda connects machines in the name of the role, and its code is denied that; traces belong to no resource.',
    ),
  );
}
