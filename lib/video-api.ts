// The API: an HTTP API in front of one function, throttled, with one list of who may call what.

import { Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpJwtAuthorizer,
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { API_KEY_CACHED_SECONDS, PREFLIGHT_SECONDS } from '../core/limits.ts';
import { acknowledge } from './acknowledge.ts';
import { LOG_RETENTION, PipelineFunction } from './pipeline-function.ts';
import type { PipelineFunctionDefaults } from './pipeline-function.ts';

/** Who owns the videos: whoever holds the generated key, or whoever a JWT issuer says. */
export type Authorization = 'key' | { jwtIssuer: string; jwtAudience: string[] };

interface Route {
  method: apigateway.HttpMethod;
  path: string;
  /** `anyone` knows an unguessable id, holds an upload token in the path, or gives up what only he has. */
  who: 'owner' | 'anyone';
}

const { ANY, DELETE, GET, HEAD, POST } = apigateway.HttpMethod;

/** What is not in this list is answered 404 by the gateway. */
const ROUTES: readonly Route[] = [
  { method: GET, path: '/api/health', who: 'anyone' },
  { method: GET, path: '/api/openapi.json', who: 'anyone' },
  { method: POST, path: '/api/session', who: 'owner' },
  { method: DELETE, path: '/api/session', who: 'anyone' },
  { method: GET, path: '/api/uploads', who: 'owner' },
  { method: POST, path: '/api/uploads', who: 'owner' },
  { method: DELETE, path: '/api/uploads/{id}', who: 'owner' },
  { method: POST, path: '/api/uploads/{id}/tokens', who: 'owner' },
  { method: ANY, path: '/api/u/{proxy+}', who: 'anyone' },
  { method: GET, path: '/api/videos', who: 'owner' },
  { method: GET, path: '/api/videos/{id}', who: 'anyone' },
  { method: DELETE, path: '/api/videos/{id}', who: 'owner' },
  { method: POST, path: '/api/videos/{id}/restore', who: 'owner' },
  { method: POST, path: '/api/videos/{id}/tokens', who: 'owner' },
  { method: GET, path: '/watch/{id}', who: 'anyone' },
  { method: GET, path: '/embed/{id}', who: 'anyone' },
  // What makes previews of links asks so first.
  { method: HEAD, path: '/watch/{id}', who: 'anyone' },
  { method: HEAD, path: '/embed/{id}', who: 'anyone' },
];

// A page with a hundred uploads asks once a second each; beyond that somebody errs, or means harm.
const REQUESTS_PER_SECOND = 200;
const BURST = 400;

export interface VideoApiProps extends PipelineFunctionDefaults {
  authorization: Authorization;
  handler: lambda.Function;
}

export class VideoApi extends Construct {
  readonly httpApi: apigateway.HttpApi;
  /** Without scheme; the CDN's origin for /api/*, /watch/* and /embed/*. */
  readonly domainName: string;
  /** The generated key, as plain text; undefined with a JWT issuer. */
  readonly apiKey: secretsmanager.Secret | undefined;
  readonly authorizer: PipelineFunction | undefined;

  constructor(scope: Construct, id: string, props: VideoApiProps) {
    super(scope, id);
    this.httpApi = new apigateway.HttpApi(this, 'HttpApi', {
      createDefaultStage: false,
      // For pages of other origins that upload. The authority is in the path or in a header, never in a cookie of a
      // foreign page, so any origin may ask.
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: [apigateway.CorsHttpMethod.ANY],
        allowHeaders: ['authorization', 'content-type'],
        maxAge: Duration.seconds(PREFLIGHT_SECONDS),
      },
    });
    this.domainName = `${this.httpApi.apiId}.execute-api.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`;

    let authorizer: apigateway.IHttpRouteAuthorizer;
    if (props.authorization === 'key') {
      this.apiKey = new secretsmanager.Secret(this, 'Key', {
        description: 'The API key of the video pipeline',
        generateSecretString: { excludePunctuation: true, passwordLength: 40 },
        removalPolicy: RemovalPolicy.DESTROY,
      });
      acknowledge(this.apiKey, {
        'AwsSolutions-SMG4':
          'Whoever uses the key keeps a copy: when it changes is for its owner to say (docs/operations.md tells how).',
      });
      this.authorizer = new PipelineFunction(this, 'Authorizer', {
        architecture: props.architecture,
        service: props.service,
        entry: 'lambdas/authorizer.ts',
        description: 'Compares the API key',
        memoryMb: 512, // less memory is less processor, and the first request waits for it
        timeout: Duration.seconds(10),
        environment: { API_KEY_SECRET_ARN: this.apiKey.secretArn },
      });
      this.apiKey.grantRead(this.authorizer);
      authorizer = new HttpLambdaAuthorizer('KeyAuthorizer', this.authorizer, {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        identitySource: ['$request.header.Authorization'],
        resultsCacheTtl: Duration.seconds(API_KEY_CACHED_SECONDS),
      });
    } else {
      const { jwtIssuer, jwtAudience } = props.authorization;
      authorizer = new HttpJwtAuthorizer('JwtAuthorizer', jwtIssuer, { jwtAudience });
    }

    const integration = new HttpLambdaIntegration('Api', props.handler, {
      scopePermissionToRoute: false, // a permission for each route would fill the function's policy
    });
    for (const { method, path, who } of ROUTES) {
      const routes = this.httpApi.addRoutes({
        path,
        methods: [method],
        integration,
        ...(who === 'owner' ? { authorizer } : {}),
      });
      if (who === 'anyone') {
        for (const route of routes) {
          acknowledge(route, {
            'AwsSolutions-APIG4':
              'Open on purpose: the unguessable id or the upload token in the path is the authority.',
          });
        }
      }
    }

    const accessLog = new logs.LogGroup(this, 'AccessLog', {
      // As that of the state machine: the policy that lets API Gateway write does not grow with every API of the account.
      logGroupName: `/aws/vendedlogs/apis/${Names.uniqueResourceName(this, { maxLength: 80 })}`,
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.httpApi,
      autoDeploy: true,
      throttle: { rateLimit: REQUESTS_PER_SECOND, burstLimit: BURST },
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(ACCESS_LOG),
      },
    });
  }
}

// No path: a path may hold an upload token, and who reads logs shall not be able to upload. The route says enough.
const ACCESS_LOG = JSON.stringify({
  requestId: AccessLogField.contextRequestId(),
  time: AccessLogField.contextRequestTime(),
  route: '$context.routeKey',
  status: AccessLogField.contextStatus(),
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
  latencyMs: '$context.responseLatency',
  sourceIp: '$context.identity.sourceIp',
});
