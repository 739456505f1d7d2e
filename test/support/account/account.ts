// An account into which the stack was deployed: every function of the assembly as processes of its bundle, wired to
// each other and to the embedded S3 as the template says.

import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Event } from 'aws-lambda';
import { parseCleanupKey } from '../../../core/artifacts/keys.ts';
import { VIDEO_PAGES } from '../../../lib/page.ts';
import { openS3 } from '../../../local/s3/server.ts';
import { buildPage } from '../../../web/build.ts';
import { functionThat, ofType, only, synthesise } from '../../lib/support/variants.ts';
import type { Json } from '../../lib/support/variants.ts';
import { keyring } from '../s3-server.ts';
import { serveAwsJson } from './aws-json.ts';
import { cdn } from './cdn.ts';
import { serveCloudFront } from './cloudfront.ts';
import { httpApi } from './http-api.ts';
import { serveLambdaApi } from './lambda-api.ts';
import { lambdaFunction } from './lambda.ts';
import { listening } from './listening.ts';
import type { LambdaFunction } from './lambda.ts';
import type { Reply } from './lambda-runtime.ts';
import { deletesMany, permissionsOf, s3Permissions, sessionOf } from './permissions.ts';
import type { May } from './permissions.ts';
import { ServiceError, execute } from './state-machine.ts';
import type { ExecutionResult } from './state-machine.ts';
import { ACCOUNT, REGION, resolver } from './template.ts';

export const API_KEY = 'a-generated-key';

/** Of a worker. */
export interface Execution {
  name: string;
  input: Json;
  /** Begins it, once: so that a test says what was before. */
  run(): Promise<ExecutionResult>;
  /** Somebody ends it: what its function is at goes on, and nobody calls it again. */
  abort(): void;
}

export interface Account {
  api: ReturnType<typeof httpApi>;
  watch: ReturnType<typeof cdn>;
  functions: Record<keyof typeof FUNCTIONS, LambdaFunction>;
  buckets: { uploads: string; media: string };
  stateMachineArn: string;
  /** What the API makes ids with. */
  videoIdKey: string;
  client: S3Client;
  /** What S3 has announced so far of uploads. */
  events: S3Event[];
  invokeIngest(event: S3Event): Promise<Reply>;
  /** All that were started, in order. */
  executions: Execution[];
  /** Begins all that have been started, and those that are started meanwhile; resolves when all have ended. */
  prewarmed(): Promise<ExecutionResult[]>;
  /** What EventBridge calls from one day to the next, called now. */
  dayPasses(): Promise<Reply[]>;
  /** And every five minutes. */
  minutesPass(): Promise<Reply[]>;
  /**
   * Deploys the layer of the assembly, and with it all functions.
   * @param change to the folder with its binaries, before it is found there
   */
  deployLayer(change?: (bin: string) => Promise<void>): Promise<void>;
  /** Resolves when no announced upload is being ingested any more, with what `ingest` replied. */
  ingested(): Promise<Reply[]>;
  /** Resolves when the janitor has done all that it was asked for, with what it replied. */
  cleaned(): Promise<Reply[]>;
  /** What CloudFront was told to forget, in order. */
  forgotten: readonly string[];
  faults: Faults;
  /** What the function's role allows. */
  may(name: keyof Account['functions']): May;
  /** What somebody asked for without the permission, all that was. */
  denied: readonly string[];
  close(): Promise<void>;
}

/** What goes wrong, as long as it is set. */
export interface Faults {
  /** Asked before each invocation by the state machine: throws what Lambda's API answers. */
  invocation: (functionName: string, payload: Json) => void | Promise<void>;
  /** Asked before each invocation of one function by another: throws the same. */
  sandbox: (functionName: string, request: Json) => void | Promise<void>;
  /** Asked before each request to S3: true, and S3 answers 403. */
  s3: (request: IncomingMessage) => boolean;
}

const FUNCTIONS = {
  api: 'The HTTP API',
  authorizer: 'Compares the API key',
  ingest: 'Plans a video',
  origin: 'Makes an artifact',
  transcode: 'Has what is queued',
  sandbox: 'Runs ffmpeg for somebody',
  prewarmSandbox: 'Runs ffmpeg ahead',
  janitor: 'Removes deleted videos',
  maintenance: 'Plans videos anew',
} as const;

export async function openAccount(directory: string): Promise<Account> {
  const assembly = await synthesise([
    {
      name: 'deployed',
      app: 'instant-hls',
      bundle: true,
      // The layer's binaries are to run on this machine.
      context: { architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64', prewarmConcurrency: 3 },
    },
  ]);
  const template = await assembly.template('deployed');
  const resolve = resolver(template);
  const assetOf = ({ S3Key }: { S3Key: string }): string =>
    assembly.path('deployed', `asset.${S3Key.replace(/\.zip$/, '')}`);

  const faults: Faults = { invocation: () => undefined, sandbox: () => undefined, s3: () => false };
  const events: S3Event[] = [];
  const bucketOf = (type: string): string =>
    resolve({ Ref: only(ofType(template, 'AWS::S3::Bucket').filter(({ id }) => id.includes(type))).id });
  const page = bucketOf('PageBucket');
  const buckets = { uploads: bucketOf('BucketsUploads'), media: bucketOf('BucketsMedia') };

  const store = await openS3({
    directory: join(directory, 's3'),
    keyring,
    onCreated: (event) => {
      for (const arn of subscribersOf(event)) {
        if (isCleanup(event)) {
          cleaning.push(invoke(arn, event));
          continue;
        }
        events.push(event);
        ingesting.push(invoke(arn, event));
      }
    },
  });
  const denied: string[] = [];
  const mayOf = new Map<string, May>();
  /** Whoever has no session is the test itself. */
  function judge(session: string | undefined, permissions: [string, string][]): boolean {
    if (session === undefined) return true;
    const may = mayOf.get(session)!;
    const missing = permissions.filter(([action, resource]) => !may(action, resource));
    denied.push(...missing.map(([action, resource]) => `${session}: ${action} on ${resource}`));
    return missing.length === 0;
  }

  async function answerS3(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = deletesMany(request) ? await buffer(request) : undefined;
    if (faults.s3(request) || !judge(sessionOf(request), s3Permissions(request, body))) {
      request.resume();
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
    } else store.handle(body ? withBody(request, body) : request, response);
  }
  const server = await listening((request, response) => {
    answerS3(request, response).catch(() => response.destroy()); // the client has left
  });
  const { endpoint } = server;
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: keyring.region,
    credentials: keyring,
  });
  for (const Bucket of [...Object.values(buckets), page]) {
    await client.send(new CreateBucketCommand({ Bucket }));
  }

  const executions: Execution[] = [];
  let begun = 0;
  const stateMachine = only(ofType(template, 'AWS::StepFunctions::StateMachine'));
  const stateMachineArn = resolve({ Ref: stateMachine.id });
  const secrets = new Map(
    ofType(template, 'AWS::SecretsManager::Secret').map(({ id }) => [
      resolve({ Ref: id }) as string,
      /HttpKey/.test(id) ? API_KEY : `generated for ${id}`,
    ]),
  );
  const services = await serveAwsJson({
    'AWSStepFunctions.StartExecution': ({ stateMachineArn: arn = '', name = '', input = '' }, session) => {
      if (!judge(session, [['states:StartExecution', arn]]))
        throw new ServiceError('AccessDeniedException', arn);
      if (arn !== stateMachineArn) throw new ServiceError('StateMachineDoesNotExist', arn);
      if (!/^[\w-]{1,80}$/.test(name)) throw new ServiceError('InvalidName', name);
      if (executions.some((execution) => execution.name === name)) {
        throw new ServiceError('ExecutionAlreadyExists', name);
      }
      executions.push(executionOf(name, JSON.parse(input)));
      return {
        executionArn: arn.replace(':stateMachine:', ':execution:') + `:${name}`,
        startDate: Date.now() / 1000,
      };
    },
    'secretsmanager.GetSecretValue': ({ SecretId = '' }, session) => {
      const permitted = judge(session, [['secretsmanager:GetSecretValue', SecretId]]);
      if (!permitted) throw new ServiceError('AccessDeniedException', SecretId);
      const SecretString = secrets.get(SecretId);
      if (SecretString === undefined) throw new ServiceError('ResourceNotFoundException', SecretId);
      return { ARN: SecretId, SecretString };
    },
  });

  const forgotten: string[] = [];
  const distribution = resolve({ Ref: only(ofType(template, 'AWS::CloudFront::Distribution')).id }) as string;
  const cloudFront = await serveCloudFront((id, paths, session) => {
    const arn = `arn:aws:cloudfront::${ACCOUNT}:distribution/${id}`;
    if (!judge(session, [['cloudfront:CreateInvalidation', arn]]))
      throw new ServiceError('AccessDenied', arn);
    if (id !== distribution) throw new ServiceError('NoSuchDistribution', id);
    forgotten.push(...paths);
  });

  const byArn = new Map<string, LambdaFunction>();
  const byName = new Map<string, { started: LambdaFunction; arn: string; isIsolated: boolean }>();
  const lambdaApi = await serveLambdaApi(async ({ functionName, event, tenant, session, isAsync }) => {
    const called = byName.get(functionName);
    if (!called) throw new ServiceError('ResourceNotFoundException', functionName);
    if (!judge(session, [['lambda:InvokeFunction', called.arn]])) {
      throw new ServiceError('AccessDeniedException', functionName);
    }
    if (called.isIsolated !== (tenant !== undefined)) {
      throw new ServiceError('InvalidParameterValueException', `the tenant id ${tenant}`);
    }
    await faults.sandbox(functionName, event as Json);
    const reply = called.started.invoke(event, tenant);
    if (isAsync) invokedAside.push(reply);
    return isAsync ? { payload: null } : reply;
  });
  const invokedAside: Promise<Reply>[] = [];

  const layersOf = ({ Layers = [] }: { Layers?: Json[] }): string[] =>
    Layers.map(({ Ref }) => assetOf(template.Resources[Ref]!.Properties.Content));
  /** What functions find as /opt. */
  const opt = join(directory, 'opt');
  const ours = Object.values(FUNCTIONS).map((does) => functionThat(template, does).Properties);
  const layer = only([...new Set(ours.flatMap(layersOf))]);
  async function unpackLayer(): Promise<void> {
    await rm(opt, { recursive: true, force: true });
    await cp(layer, opt, { recursive: true });
  }
  await unpackLayer();

  const functions = Object.fromEntries(
    await Promise.all(
      Object.entries(FUNCTIONS).map(async ([name, does]) => {
        const { id, Properties } = functionThat(template, does);
        const session = `session-of-${name}`;
        mayOf.set(session, permissionsOf(Properties.Role, template, resolve));
        const temporary = join(directory, 'tmp', name);
        await mkdir(temporary, { recursive: true });
        // Apart from the assembly: what a function needs must be in its own folder.
        const task = join(directory, 'task', name);
        await cp(assetOf(Properties.Code), task, { recursive: true });
        const started = lambdaFunction({
          name: id,
          directory: task,
          temporary,
          handler: Properties.Handler,
          memoryMb: Properties.MemorySize,
          timeoutSeconds: Properties.Timeout,
          environment: {
            ...inLayer(resolve(Properties.Environment.Variables), opt),
            AWS_REGION: REGION,
            AWS_ACCESS_KEY_ID: keyring.accessKeyId,
            AWS_SECRET_ACCESS_KEY: keyring.secretAccessKey,
            AWS_SESSION_TOKEN: session,
            AWS_ENDPOINT_URL_S3: endpoint,
            AWS_ENDPOINT_URL_SFN: services.endpoint,
            AWS_ENDPOINT_URL_SECRETS_MANAGER: services.endpoint,
            AWS_ENDPOINT_URL_LAMBDA: lambdaApi.endpoint,
            AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.endpoint,
          },
        });
        const arn = resolve({ 'Fn::GetAtt': [id, 'Arn'] }) as string;
        byArn.set(arn, started);
        const isIsolated = Properties.TenancyConfig?.TenantIsolationMode === 'PER_TENANT';
        byName.set(resolve({ Ref: id }), { started, arn, isIsolated });
        return [name, started];
      }),
    ),
  ) as Account['functions'];

  function invoke(arn: string, event: unknown): Promise<Reply> {
    const called = byArn.get(arn);
    if (!called) throw new ServiceError('ResourceNotFoundException', arn);
    return called.invoke(event);
  }

  mayOf.set('session-of-executions', permissionsOf(stateMachine.Properties.RoleArn, template, resolve));
  const definition = JSON.parse(resolve(stateMachine.Properties.DefinitionString));
  const executionOf = (name: string, input: Json): Execution => {
    let result: Promise<ExecutionResult> | undefined;
    const aborted = new AbortController();
    const services = {
      async invoke(arn: string, payload: unknown) {
        if (!judge('session-of-executions', [['lambda:InvokeFunction', arn]])) {
          throw new ServiceError('Lambda.AccessDeniedException', arn);
        }
        await faults.invocation(/:function:(\w+)$/.exec(arn)![1]!, payload);
        return invoke(arn, payload);
      },
    };
    const run = () => execute(definition, input, services, aborted.signal);
    return { name, input, run: () => (result ??= run()), abort: () => aborted.abort() };
  };

  const scheduled = (expression: string): Promise<Reply[]> =>
    Promise.all(
      ofType(template, 'AWS::Events::Rule')
        .filter(({ Properties }) => Properties.ScheduleExpression === expression)
        .flatMap(({ id, Properties }) => Properties.Targets.map((target: Json) => ({ id, ...target })))
        .map(({ id, Arn, Input }: Json) => invoke(resolve(Arn), Input ? JSON.parse(Input) : ownEvent(id))),
    );

  const ingesting: Promise<Reply>[] = [];
  const cleaning: Promise<Reply>[] = [];
  const isCleanup = ({ Records }: S3Event) => parseCleanupKey(Records[0]!.s3.object.key) !== undefined;
  const notifications = ofType(template, 'Custom::S3BucketNotifications').map(({ Properties }) =>
    resolve({ bucket: Properties.BucketName, functions: Properties.NotificationConfiguration }),
  );
  function subscribersOf({ Records }: S3Event): string[] {
    const { eventName, s3 } = Records[0]!;
    return notifications
      .filter(({ bucket }) => bucket === s3.bucket.name)
      .flatMap(({ functions: { LambdaFunctionConfigurations } }) => LambdaFunctionConfigurations)
      .filter(({ Events, Filter }: Json) => {
        const rules = Object.fromEntries(
          Filter.Key.FilterRules.map(({ Name, Value }: Json) => [Name, Value]),
        ) as { prefix: string; suffix: string };
        const wanted = Events.some((each: string) => `s3:${eventName}`.startsWith(each.replace('*', '')));
        return wanted && s3.object.key.startsWith(rules.prefix) && s3.object.key.endsWith(rules.suffix);
      })
      .map(({ LambdaFunctionArn }: Json) => LambdaFunctionArn as string);
  }

  // As the deployment copies it; that it does is test/extended/assembly's to show.
  const built = join(directory, 'page');
  await buildPage(built);
  for (const Key of VIDEO_PAGES) {
    const Body = await readFile(join(built, Key));
    await client.send(new PutObjectCommand({ Bucket: page, Key, Body }));
  }

  const url = only(ofType(template, 'AWS::Lambda::Url')).Properties;
  return {
    api: httpApi(template, resolve, invoke),
    watch: cdn(client, buckets.media, (event) => invoke(resolve(url.TargetFunctionArn), event)),
    functions,
    buckets,
    stateMachineArn,
    videoIdKey: only([...secrets].filter(([arn]) => arn.includes(':secret:VideoIdsKey')))[1],
    client,
    events,
    invokeIngest: (event) => functions.ingest.invoke(event),
    executions,
    async prewarmed() {
      const results: ExecutionResult[] = [];
      for (; begun < executions.length; begun += 1) results.push(await executions[begun]!.run());
      return results;
    },
    dayPasses: () => scheduled('rate(1 day)'),
    minutesPass: () => scheduled('rate(5 minutes)'),
    async deployLayer(change) {
      await unpackLayer();
      await change?.(join(opt, 'bin'));
      for (const each of Object.values(functions)) each.deployed();
    },
    ingested: () => Promise.all(ingesting.splice(0)),
    async cleaned() {
      const replies: Reply[] = [];
      // One that comes late asks for another.
      while (cleaning.length > 0) replies.push(...(await Promise.all(cleaning.splice(0))));
      return replies;
    },
    forgotten,
    faults,
    may: (name) => mayOf.get(`session-of-${name}`)!,
    denied,
    async close() {
      await Promise.all(Object.values(functions).map((each) => each.stop()));
      services.close();
      lambdaApi.close();
      cloudFront.close();
      await store.close();
      server.close();
      client.destroy();
      await assembly.remove();
    },
  };
}

/** A request whose body has been read. */
const withBody = (request: IncomingMessage, body: Buffer): IncomingMessage => {
  const { method, url, headers, headersDistinct, socket } = request;
  return Object.assign(Readable.from([body]), { method, url, headers, headersDistinct, socket }) as never;
};

/** Of a schedule whose target was given no other. Source: AWS, "Creating a scheduled rule in Amazon EventBridge". */
const ownEvent = (rule: string): Json => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: ACCOUNT,
  time: new Date().toISOString(),
  region: REGION,
  resources: [`arn:aws:events:${REGION}:${ACCOUNT}:rule/${rule}`],
  detail: {},
});

/** Lambda unpacks layers to /opt; here paths below it are paths in another folder. */
function inLayer(variables: Record<string, string>, opt: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      value.startsWith('/opt/') ? join(opt, value.slice('/opt/'.length)) : value,
    ]),
  );
}
