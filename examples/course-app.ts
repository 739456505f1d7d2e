// An app with video: courses whose students sign in with Cognito and watch protected films. It shows how the pipeline
// fits into somebody else's stack: who is signed in may upload, most films are seldom watched, alarms go to a topic
// that exists already, and a function of the app's own is told when a film is ready.
//
//     npx cdk synth --app "node examples/course-app.ts"

import { pathToFileURL } from 'node:url';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { VideoPipeline } from '../lib/video-pipeline.ts';

export function courseApp(app: App): void {
  const stack = new Stack(app, 'Courses');

  const teachers = new cognito.UserPool(stack, 'Teachers', { removalPolicy: RemovalPolicy.RETAIN });
  const client = teachers.addClient('Web');
  const operations = new sns.Topic(stack, 'Operations', { enforceSSL: true });

  const video = new VideoPipeline(stack, 'Video', {
    authorization: { jwtIssuer: teachers.userPoolProviderUrl, jwtAudience: [client.userPoolClientId] },
    playback: 'token',
    prewarm: 'lowest',
    alarms: { topic: operations },
  });

  // Step Functions tells EventBridge when the prewarm of a video has ended; `detail.input` holds the video's id.
  const publish = new lambda.Function(stack, 'Publish', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline(
      "exports.handler = async ({ detail }) => console.log('ready to publish', JSON.parse(detail.input).id);",
    ),
    environment: { PLAYBACK_BASE_URL: video.playbackBaseUrl },
  });
  new events.Rule(stack, 'VideoReady', {
    eventPattern: {
      source: ['aws.states'],
      detail: { stateMachineArn: [video.stateMachine.stateMachineArn], status: ['SUCCEEDED'] },
    },
    targets: [new targets.LambdaFunction(publish)],
  });

  new CfnOutput(stack, 'ApiUrl', { value: video.apiUrl });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) courseApp(new App());
