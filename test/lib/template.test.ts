import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import validateAsl from 'asl-validator';
import { OUTAGE_CODES } from '../../core/errors.ts';
import { delayKey, newVideoId } from '../../core/artifacts/keys.ts';
import { lanesOf } from '../../core/work/lanes.ts';
import { DEAD_LETTERS } from '../../scripts/redrive.ts';
import { ROOT, functionThat, ofType, only, synthesise } from './support/variants.ts';
import type { Json, Synthesised, Template } from './support/variants.ts';

// Rules of CloudFront, Lambda and IAM that neither CDK nor CloudFormation's validator knows: a template that
// breaks one synthesises well and fails in the account, or worse, deploys.

let variants: Synthesised;
let template: Template;
const VARIANTS = ['default', 'token', 'jwt', 'arm64', 'layer', 'domain', 'lowest', 'closed', 'example'];

beforeAll(async () => {
  variants = await synthesise([
    { name: 'default', app: 'instant-hls' },
    {
      name: 'token',
      app: 'instant-hls',
      context: { playback: 'token', alarmEmail: 'me@example.com', monthlyBudgetUsd: 50 },
    },
    {
      name: 'jwt',
      app: 'instant-hls',
      context: { jwtIssuer: 'https://issuer.example.com', jwtAudience: 'one, two' },
    },
    { name: 'arm64', app: 'instant-hls', context: { architecture: 'arm64', viewersMemoryMb: '10240' } },
    {
      name: 'layer',
      app: 'instant-hls',
      context: { ffmpegLayerArn: 'arn:aws:lambda:eu-central-1:123456789012:layer:ffmpeg:7' },
    },
    {
      name: 'domain',
      app: 'instant-hls',
      context: {
        domainNames: 'video.example.com,v.example.com',
        certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/8c7e3f9a-0000-4000-8000-000000000000',
        originShield: 'eu-central-1',
      },
    },
    {
      name: 'lowest',
      app: 'instant-hls',
      context: {
        prewarm: 'lowest',
        prewarmEffort: 'quick',
        sandboxIsolation: 'none',
        largestRung: '2160p',
        removal: 'destroy',
        prewarmConcurrency: 40,
        maxDurationSeconds: 60,
        maxPicturePixels: 2073600,
        maxStreams: 9,
        revisionGraceDays: 30,
      },
    },
    { name: 'directory', app: 'instant-hls', context: { ffmpegDirectory: await ownFfmpeg() } },
    { name: 'closed', app: 'instant-hls', context: { sandboxNetwork: 'closed' } },
    { name: 'wrong region', app: 'instant-hls', context: { originShield: 'Frankfurt' } },
    { name: 'expiring', app: 'instant-hls', context: { expireSourcesAfterDays: 30 } },
    { name: 'example', app: 'example' },
    { name: 'half a day of grace', app: 'construct', revisionGraceHours: 12 },
    { name: 'no grace', app: 'construct', revisionGraceHours: 0 },
    { name: 'in a region without function URLs', app: 'instant-hls', region: 'eu-south-2' },
    { name: 'in a region', app: 'instant-hls', region: 'eu-central-1', context: { playback: 'token' } },
    { name: 'public, in a region', app: 'instant-hls', region: 'eu-central-1' },
    { name: 'all ids', app: 'instant-hls', context: { uncheckedIds: 'all' } },
    { name: 'misspelt', app: 'instant-hls', context: { playbak: 'token' } },
    { name: 'wrong choice', app: 'instant-hls', context: { playback: 'private' } },
    { name: 'wrong number', app: 'instant-hls', context: { maxUploadBytes: '5 GB' } },
    { name: 'half a pair', app: 'instant-hls', context: { domainNames: 'video.example.com' } },
    { name: 'impossible', app: 'instant-hls', context: { prewarm: 'lowest', expireSourcesAfterDays: 30 } },
    { name: 'no such folder', app: 'instant-hls', context: { ffmpegDirectory: '/nonexistent' } },
    { name: 'nag', app: 'instant-hls', nag: true },
    { name: 'nag, a fault', app: 'instant-hls', nag: true, fault: true },
    {
      name: 'nag, all options',
      app: 'instant-hls',
      nag: true,
      context: { playback: 'token', removal: 'destroy', sandboxNetwork: 'closed', monthlyBudgetUsd: 50 },
    },
  ]);
  template = await variants.template('default');
});

afterAll(async () => {
  await variants.remove();
  await rm(ownFfmpegDirectory, { recursive: true, force: true });
});

let ownFfmpegDirectory: string;
async function ownFfmpeg(): Promise<string> {
  ownFfmpegDirectory = await mkdtemp(join(tmpdir(), 'instant-hls-ffmpeg-'));
  await mkdir(join(ownFfmpegDirectory, 'bin'));
  for (const binary of ['ffmpeg', 'ffprobe'])
    await writeFile(join(ownFfmpegDirectory, 'bin', binary), binary);
  return ownFfmpegDirectory;
}

const distribution = (of: Template) =>
  only(ofType(of, 'AWS::CloudFront::Distribution')).Properties.DistributionConfig;
const behavior = (of: Template, path: string): Json =>
  only((distribution(of).CacheBehaviors as Json[]).filter(({ PathPattern }) => PathPattern === path));

describe.each(VARIANTS)('the template of %s', (name) => {
  test("has no error in AWS's own validator", async () => {
    await variants.template(name);
    const engine = new RegoEngine();
    try {
      const file = variants.path(
        name,
        name === 'example' ? 'Courses.template.json' : 'InstantHls.template.json',
      );
      const { diagnostics } = engine.validateStandard(new TemplateFile(file));
      const errors = diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL');
      expect(errors.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    } finally {
      engine.free();
    }
  });

  test('has a valid state machine', async () => {
    const { isValid, errorsText } = validateAsl(definition(await variants.template(name)) as never);
    expect(isValid ? '' : errorsText()).toBe('');
  });
});

describe('cdk-nag', () => {
  test.each(['nag', 'nag, all options'])('%s: finds nothing that is not acknowledged', async (name) => {
    expect(await variants.error(name)).toBeUndefined();
  });

  test('would find what is not', async () => {
    expect(await variants.error('nag, a fault')).toContain('AwsSolutions-SQS4');
  });
});

describe('settings', () => {
  test.each([
    ['misspelt', /^There is no setting playbak\. There are: playback, /],
    ['wrong choice', /^The setting playback is "private"; it takes public or token\.$/],
    ['wrong number', /^The setting maxUploadBytes is "5 GB"; it takes a whole number above 0\.$/],
    ['wrong region', /^originShield is "Frankfurt"; it takes the name of a region, or off\.$/],
    ['half a pair', /^The settings domainNames and certificateArn go together; one of them is missing\.$/],
    ['impossible', /^Sources cannot expire with prewarm 'lowest'/],
    ['no grace', /^revisionGrace must be longer than 0: /],
    ['in a region without function URLs', /^In eu-south-2 there are no Lambda function URLs, /],
    ['no such folder', /^The layer with ffmpeg needs \/nonexistent\/bin\/ffmpeg, which is not there\.$/],
  ])('%s: refused with a sentence', async (name, message) => {
    expect(await variants.error(name)).toMatch(message);
  });
});

describe('names', () => {
  test('of what ids are checked with hold the region, and are not too long', async () => {
    const { Properties } = only(
      ofType(await variants.template('public, in a region'), 'AWS::CloudFront::KeyValueStore'),
    );
    expect(Properties.Name).toMatch(/-eu-central-1$/);
    expect(Properties.Name.length + 'ap-southeast-4'.length - 'eu-central-1'.length).toBeLessThanOrEqual(64);
  });

  // CloudFront's are an account's. The store of tokens' secrets is left as it is: with another name it would be replaced, and be
  // empty.
  test('of what CloudFront keeps hold the region, all but one, and are not too long', async () => {
    const { Resources } = await variants.template('in a region');
    const names = Object.values(Resources).flatMap(({ Type, Properties }) => {
      if (!Type.startsWith('AWS::CloudFront::') || Type === 'AWS::CloudFront::KeyValueStore') return [];
      const named = Object.entries(Properties as Json).find(([key]) =>
        /Config$|^Name$/.test(key),
      )?.[1] as Json;
      const name = (typeof named === 'object' ? named.Name : Properties.Name) ?? Properties.Name;
      return name === undefined ? [] : [[Type, name as string] as const];
    });
    expect(new Set(names.map(([type]) => type)).size).toBe(4);
    for (const [type, name] of names) {
      expect(name).toContain('eu-central-1');
      const roomFor = 'ap-southeast-4'.length - 'eu-central-1'.length;
      expect(name.length + roomFor).toBeLessThanOrEqual(type.endsWith('OriginAccessControl') ? 64 : 128);
    }
    expect(new Set(names.map((each) => each.join())).size).toBe(names.length);
  });

  test('of logs that AWS delivers lie where its policy for all of them is', () => {
    const logs = ['AWS::ApiGatewayV2::Stage', 'AWS::StepFunctions::StateMachine'].map((type) =>
      JSON.stringify(only(ofType(template, type)).Properties),
    );
    const groups = ofType(template, 'AWS::Logs::LogGroup').filter(({ id }) =>
      logs.some((each) => each.includes(`"${id}"`)),
    );
    expect(groups).toHaveLength(2);
    for (const { Properties } of groups) expect(Properties.LogGroupName).toMatch(/^\/aws\/vendedlogs\//);
  });
});

describe('buckets', () => {
  test('are private, encrypted and reached by TLS only', () => {
    const buckets = ofType(template, 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(3);
    for (const { id, Properties } of buckets) {
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
      expect(Properties.BucketEncryption).toBeDefined();
      const policy = only(
        ofType(template, 'AWS::S3::BucketPolicy').filter((each) => each.Properties.Bucket.Ref === id),
      );
      expect(policy.Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  test('let nobody but CloudFront in, and it only below v/ and only to read', () => {
    const allowed = ofType(template, 'AWS::S3::BucketPolicy').flatMap(({ Properties }) =>
      (Properties.PolicyDocument.Statement as Statement[])
        .filter(({ Effect }) => Effect === 'Allow')
        .map((statement) => ({ bucket: bucketName(Properties.Bucket.Ref), ...statement })),
    );
    expect(allowed.map(({ bucket }) => bucket).sort()).toEqual(['Media', 'PageBucket']);
    for (const { bucket, Action, Principal, Resource, Condition } of allowed) {
      expect(Action).toBe('s3:GetObject'); // with s3:ListBucket a missing key would answer 404 to anyone
      expect(Principal).toEqual({ Service: 'cloudfront.amazonaws.com' });
      expect(JSON.stringify(Condition)).toContain('AWS:SourceArn');
      expect(JSON.stringify(Resource)).toContain(bucket === 'Media' ? '/v/*"' : '/*"');
    }
  });

  test('uploads: browsers may send and see the ETag; what was left open is removed', () => {
    const { Properties } = bucketCalled('Uploads');
    expect(Properties.CorsConfiguration.CorsRules).toEqual([
      {
        AllowedHeaders: ['*'],
        AllowedMethods: ['GET', 'PUT', 'POST', 'DELETE'],
        AllowedOrigins: ['*'],
        ExposedHeaders: ['ETag', 'Location'],
        MaxAge: 3000,
      },
    ]);
    expect(Properties.LifecycleConfiguration.Rules).toEqual([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Status: 'Enabled' },
    ]);
  });

  test('videos outlive the stack, unless it was said that they shall not', async () => {
    const policies = (of: Template) =>
      ['Uploads', 'Media'].map((name) => [
        bucketCalled(name, of).DeletionPolicy,
        bucketCalled(name, of).UpdateReplacePolicy,
      ]);
    expect(policies(template)).toEqual([
      ['Retain', 'Retain'],
      ['Retain', 'Retain'],
    ]);
    expect(policies(await variants.template('lowest'))).toEqual([
      ['Delete', 'Delete'],
      ['Delete', 'Delete'],
    ]);
  });

  test('sources expire where that is wished', async () => {
    const rules = bucketCalled('Uploads', await variants.template('expiring')).Properties
      .LifecycleConfiguration.Rules;
    expect(rules).toContainEqual({ ExpirationInDays: 30, Status: 'Enabled' });
  });

  test('the arrival of a source, and of nothing else, calls ingest', () => {
    expectCalled('Uploads', 'Plans a video', 'UploadEventsDeadLetters', [
      { prefix: 'uploads/', suffix: '/source' },
    ]);
  });

  test('a request to remove something, and nothing else, calls the janitor', () => {
    expectCalled('Media', 'Removes deleted videos', 'JanitorDeadLetters', [
      { prefix: 'tombstones/', suffix: '.json' },
      { prefix: 'cleanups/', suffix: '.json' },
    ]);
  });

  /** By S3, three times, and then the event is put aside. */
  function expectCalled(
    bucket: string,
    does: string,
    deadLetters: string,
    filters: { prefix: string; suffix: string }[],
  ): void {
    const notifications = ofType(template, 'Custom::S3BucketNotifications').filter(
      ({ Properties }) => Properties.BucketName.Ref === bucketCalled(bucket).id,
    );
    const called = functionThat(template, does);
    expect(only(notifications).Properties.NotificationConfiguration).toEqual({
      LambdaFunctionConfigurations: filters.map(({ prefix, suffix }) => ({
        Events: ['s3:ObjectCreated:*'],
        Filter: {
          Key: {
            FilterRules: [
              { Name: 'suffix', Value: suffix },
              { Name: 'prefix', Value: prefix },
            ],
          },
        },
        LambdaFunctionArn: { 'Fn::GetAtt': [called.id, 'Arn'] },
      })),
    });
    const queue = only(ofType(template, 'AWS::SQS::Queue').filter(({ id }) => id.includes(deadLetters)));
    const invoked = ofType(template, 'AWS::Lambda::EventInvokeConfig').filter(
      (each) => each.Properties.FunctionName.Ref === called.id,
    );
    expect(only(invoked).Properties).toEqual({
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue.id, 'Arn'] } } },
      FunctionName: { Ref: called.id },
      MaximumEventAgeInSeconds: 21600,
      MaximumRetryAttempts: 2,
      Qualifier: '$LATEST',
    });
  }

  const bucketName = (id: string) => /^VideoBuckets([A-Za-z]+?)[0-9A-F]{8}$/.exec(id)?.[1] ?? 'PageBucket';
  const bucketCalled = (name: string, of: Template = template) =>
    only(ofType(of, 'AWS::S3::Bucket').filter(({ id }) => bucketName(id) === name)) as ReturnType<
      typeof ofType
    >[0] & {
      DeletionPolicy: string;
      UpdateReplacePolicy: string;
    };
});

describe('functions', () => {
  /** CDK has some of its own, which run during deployments. */
  const ours = (of: Template) =>
    ofType(of, 'AWS::Lambda::Function').filter(
      ({ id, Properties }) => id.startsWith('Video') && Properties.Runtime === 'nodejs24.x',
    );

  test('are what a new account can have, and alike', () => {
    const all = ours(template);
    expect(all).toHaveLength(10);
    for (const { Properties } of all) {
      expect(Properties.MemorySize).toBeLessThanOrEqual(3008);
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
      expect(Properties).toMatchObject({
        Handler: 'index.handler',
        Architectures: ['x86_64'],
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.any(String) } },
      });
      expect(Properties.Environment.Variables).toMatchObject({
        POWERTOOLS_METRICS_NAMESPACE: 'InstantHLS',
        POWERTOOLS_SERVICE_NAME: expect.stringMatching(/^InstantHls/),
      });
    }
    for (const { Properties } of ofType(template, 'AWS::Logs::LogGroup'))
      expect(Properties.RetentionInDays).toBe(90);
  });

  const BROKER = ['SANDBOX_FUNCTION', 'SANDBOX_ISOLATION', 'SANDBOX_MEMORY_MB'];
  const PLANNING = [
    ...['LARGEST_RUNG', 'MAX_COPIED_BYTES', 'MAX_DURATION_SECONDS', 'MAX_PICTURE_PIXELS', 'MAX_STREAMS'],
    ...['MEDIA_BUCKET', 'PREWARM', 'PREWARM_EFFORT', 'UPLOADS_BUCKET', ...BROKER],
  ];
  const QUEUEING = ['PREWARM_CONCURRENCY', 'STATE_MACHINE_ARN'];

  test.each([
    ['Makes an artifact', PLANNING],
    ['Has what is queued', [...PLANNING, 'PREWARM_CONCURRENCY']],
    ['Plans a video', [...PLANNING, ...QUEUEING]],
    ['Plans videos anew', [...PLANNING, ...QUEUEING, 'REVISION_GRACE_DAYS']],
    // No bucket, and nothing else that is ours.
    ['Runs ffmpeg for somebody', ['FFMPEG_PATH', 'FFPROBE_PATH']],
    ['Runs ffmpeg ahead', ['FFMPEG_PATH', 'FFPROBE_PATH']],
    [
      'The HTTP API',
      [
        'DELETION_GRACE_HOURS',
        'MAX_UPLOAD_BYTES',
        'MEDIA_BUCKET',
        'PAGE_BUCKET',
        'PLAYBACK',
        'PUBLIC_BASE_URL',
        ...BROKER,
        'UPLOADS_BUCKET',
        'UPLOAD_SECRET_ARN',
        'VIDEO_ID_KEY_ARN',
      ],
    ],
    ['Tells the edge', ['KEY_VALUE_STORE_ARN', 'MEDIA_BUCKET', 'UNCHECKED_IDS', 'VIDEO_ID_KEY_ARN']],
    ['Compares the API key', ['API_KEY_SECRET_ARN']],
  ])('%s…: is told %j', (does, names) => {
    const { Variables } = functionThat(template, does).Properties.Environment;
    const own = Object.keys(Variables).filter((name) => !/^(POWERTOOLS_|NODE_OPTIONS)/.test(name));
    expect(own.sort()).toEqual([...names].sort());
  });

  test('origin outlives the patience of CloudFront, the API does not outlive that of its gateway', () => {
    expect(functionThat(template, 'Makes an artifact').Properties.Timeout).toBeGreaterThan(60);
    expect(functionThat(template, 'The HTTP API').Properties.Timeout).toBeLessThan(30);
  });

  test('what ingest could plan, maintenance has the same sandbox plan anew', () => {
    const sandbox = (does: string): Json =>
      functionThat(template, does).Properties.Environment.Variables.SANDBOX_FUNCTION;
    expect(sandbox('Plans videos anew')).toEqual(sandbox('Plans a video'));
  });

  test('maintenance is called by its two schedules alone, and twice more where it fails', () => {
    const maintenance = functionThat(template, 'Plans videos anew');
    const arn = { 'Fn::GetAtt': [maintenance.id, 'Arn'] };
    const rules = ofType(template, 'AWS::Events::Rule');
    const calls = rules.map(({ Properties: { ScheduleExpression, State, Targets } }) => {
      const { Arn, Input } = only(Targets as Json[]);
      expect([State, Arn]).toEqual(['ENABLED', arn]);
      return [ScheduleExpression, Input];
    });
    // The first one's event is the schedule's own, as it was when there was no other.
    expect(calls).toEqual([
      ['rate(1 day)', undefined],
      ['rate(5 minutes)', '{"command":"resume"}'],
    ]);
    const callers = ofType(template, 'AWS::Lambda::Permission').filter(
      ({ Properties }) => Properties.FunctionName['Fn::GetAtt'][0] === maintenance.id,
    );
    expect(callers.map(({ Properties: { Principal, SourceArn } }) => [Principal, SourceArn])).toEqual(
      rules.map(({ id }) => ['events.amazonaws.com', { 'Fn::GetAtt': [id, 'Arn'] }]),
    );
    const invoked = ofType(template, 'AWS::Lambda::EventInvokeConfig').filter(
      ({ Properties }) => Properties.FunctionName.Ref === maintenance.id,
    );
    expect(only(invoked).Properties).toMatchObject({ MaximumRetryAttempts: 2 });
  });

  test.each([
    ['default', '7'],
    ['lowest', '30'],
    ['half a day of grace', '0.5'],
  ])('%s: an old revision stays for %s days', async (name, days) => {
    const { Variables } = functionThat(await variants.template(name), 'Plans videos anew').Properties
      .Environment;
    expect(Variables.REVISION_GRACE_DAYS).toBe(days);
  });

  // While a stack is updated, old and new functions work side by side.
  test.each([
    ['Has what is queued', ['Runs ffmpeg for somebody', 'Runs ffmpeg ahead']],
    ['Makes an artifact', ['Runs ffmpeg for somebody', 'Has what is queued']],
    ['Plans a video', ['Has what is queued', 'Makes an artifact']],
    ['Plans videos anew', ['Has what is queued', 'Makes an artifact']],
  ])('%s…: is replaced after whoever is handed what it plans: %j', async (does, others) => {
    for (const name of VARIANTS) {
      const of = await variants.template(name);
      const before = neededBy(functionThat(of, does).id, of);
      for (const other of others) expect(before).toContain(functionThat(of, other).id);
    }
  });

  test('arm64: functions and layer alike, and the memory that was asked for', async () => {
    const arm64 = await variants.template('arm64');
    for (const { Properties } of ours(arm64)) expect(Properties.Architectures).toEqual(['arm64']);
    const layers = (of: Template) =>
      only(
        ofType(of, 'AWS::Lambda::LayerVersion').filter(({ Properties }) =>
          /ffmpeg/.test(Properties.Description),
        ),
      ).Properties;
    expect(layers(arm64).CompatibleArchitectures).toEqual(['arm64']);
    expect(layers(template).CompatibleArchitectures).toEqual(['x86_64']);
    expect(layers(arm64).Content.S3Key).not.toBe(layers(template).Content.S3Key);
    expect(functionThat(arm64, 'Runs ffmpeg for somebody').Properties.MemorySize).toBe(10240);
    expect(functionThat(arm64, 'Runs ffmpeg ahead').Properties.MemorySize).toBe(3008);
  });

  test("a layer of one's own takes the place of ours", async () => {
    const own = await variants.template('layer');
    expect(functionThat(own, 'Runs ffmpeg ahead').Properties.Layers).toEqual([
      'arn:aws:lambda:eu-central-1:123456789012:layer:ffmpeg:7',
    ]);
    const descriptions = ofType(own, 'AWS::Lambda::LayerVersion').map(
      ({ Properties }) => Properties.Description,
    );
    expect(descriptions.join()).not.toContain('ffmpeg');
  });

  test("a folder of one's own becomes the layer", async () => {
    const own = await variants.template('directory');
    const { id } = only(
      ofType(own, 'AWS::Lambda::LayerVersion').filter(({ Properties }) =>
        /brought along/.test(Properties.Description),
      ),
    );
    expect(functionThat(own, 'Runs ffmpeg ahead').Properties.Layers).toEqual([{ Ref: id }]);
  });
});

/** All resources that CloudFormation is done with before it begins with this one. */
function neededBy(id: string, { Resources }: Template): Set<string> {
  const found = new Set<string>();
  const look = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries<Json>(value)) {
      if (key === 'Ref') add(part);
      else if (key === 'Fn::GetAtt') add([part].flat()[0]);
      else if (key === 'Fn::Sub') {
        for (const [, name] of JSON.stringify(part).matchAll(/\$\{(\w+)/g)) add(name!);
      } else if (key === 'DependsOn') [part].flat().forEach(add);
      else look(part);
    }
  };
  const add = (name: string): void => {
    if (found.has(name) || !Resources[name]) return;
    found.add(name);
    look(Resources[name]);
  };
  look(Resources[id]);
  return found;
}

type Statement = {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Principal?: unknown;
  Condition?: unknown;
};

describe('permissions', () => {
  // Everything that may be done to `*`, and why there is nothing else to name.
  const UNAVOIDABLE: Record<string, string> = {
    'xray:PutTelemetryRecords': 'traces belong to no resource',
    'xray:PutTraceSegments': 'traces belong to no resource',
    'xray:GetSamplingRules': 'traces belong to no resource',
    'xray:GetSamplingTargets': 'traces belong to no resource',
    'logs:CreateLogDelivery': "Step Functions' logs; the API knows no resources",
    'logs:GetLogDelivery': "Step Functions' logs; the API knows no resources",
    'logs:UpdateLogDelivery': "Step Functions' logs; the API knows no resources",
    'logs:DeleteLogDelivery': "Step Functions' logs; the API knows no resources",
    'logs:ListLogDeliveries': "Step Functions' logs; the API knows no resources",
    'logs:PutResourcePolicy': "Step Functions' logs; the API knows no resources",
    'logs:DescribeResourcePolicies': "Step Functions' logs; the API knows no resources",
    'logs:DescribeLogGroups': "Step Functions' logs; the API knows no resources",
    'cloudfront:CreateInvalidation': "CDK's deployment of the page",
    'cloudfront:GetInvalidation': "CDK's deployment of the page",
    'secretsmanager:GetRandomPassword': 'CDK grants it to every rotation; it reads nothing',
  };

  test.each(['default', 'token', 'example'])('%s: no `*` resource without a reason', async (name) => {
    const open = statementsOf(await variants.template(name))
      .filter(({ Resource }) => [Resource].flat().includes('*'))
      .flatMap(({ Action }) => Action);
    expect(open.filter((action) => !(action in UNAVOIDABLE))).toEqual([]);
  });

  test('our functions name every action', () => {
    const ours = statementsOf(template, (id) =>
      /^Video(Origin|Transcode|Ingest|Maintenance|Janitor|Api|HttpAuthorizer|IdsTelling)Role/.test(id),
    );
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  });

  test.each(['default', 'token', 'example', 'closed'])(
    '%s: a sandbox may write its log and its traces',
    async (name) => {
      const of = await variants.template(name);
      const roles = ofType(of, 'AWS::IAM::Role').filter(({ id }) => /SandboxRole/.test(id));
      expect(roles).toHaveLength(2);
      for (const { Properties } of roles) expect(Properties.Policies ?? []).toEqual([]);
      expect(roles.flatMap(({ Properties }) => (Properties.ManagedPolicyArns ?? []) as Json[])).toEqual([]);
      const statements = statementsOf(of, (id) => /SandboxRole/.test(id));
      const allowed = statements
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(({ Action }) => Action)
        .filter((action) => !action.startsWith('ec2:') || name !== 'closed'); // which is denied to code, see below
      const once = ['logs:CreateLogStream', 'logs:PutLogEvents'];
      const traces = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
      expect(allowed.sort()).toEqual([...once, ...once, ...traces, ...traces].sort());
    },
  );

  test('in a closed network nothing leads out but to our buckets, and what Lambda may do there no code may', async () => {
    const closed = await variants.template('closed');
    for (const type of ['InternetGateway', 'NatGateway', 'VPNGateway', 'EgressOnlyInternetGateway']) {
      expect(ofType(closed, `AWS::EC2::${type}`)).toEqual([]);
    }
    expect(ofType(closed, 'AWS::EC2::Route')).toEqual([]);
    const { VpcEndpointType = 'Gateway', PolicyDocument } = only(
      ofType(closed, 'AWS::EC2::VPCEndpoint'),
    ).Properties;
    expect(VpcEndpointType).toBe('Gateway');
    const { Action, Resource } = only(PolicyDocument.Statement as Json[]);
    expect(Action).toEqual(['s3:GetObject', 's3:PutObject']);
    expect(Resource).toHaveLength(2);
    expect(JSON.stringify(Resource)).toMatch(/BucketsMedia.*BucketsUploads/);
    for (const does of ['Runs ffmpeg for somebody', 'Runs ffmpeg ahead']) {
      const { VpcConfig, Role } = functionThat(closed, does).Properties;
      expect(VpcConfig.SubnetIds).toHaveLength(2);
      const [role] = Role['Fn::GetAtt'] as [string];
      const statements = ofType(closed, 'AWS::IAM::Policy')
        .filter(({ Properties }) => Properties.Roles.some(({ Ref }: Json) => Ref === role))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
      const isOfNetwork = (action: string) => action.startsWith('ec2:');
      const denied = statements.filter(({ Effect }) => Effect === 'Deny');
      const allowed = statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
      expect(only(denied).Action).toEqual(allowed.filter(isOfNetwork));
      expect(JSON.stringify(only(denied).Condition)).toContain('lambda:SourceFunctionArn');
    }
    for (const does of ['Makes an artifact', 'Plans a video', 'Has what is queued', 'The HTTP API']) {
      expect(functionThat(closed, does).Properties.VpcConfig).toBeUndefined();
    }
  });

  test('who runs ffmpeg, and nobody else, is given one', () => {
    const layered = ofType(template, 'AWS::Lambda::Function').filter(
      ({ Properties }) => Properties.Layers && Properties.Runtime === 'nodejs24.x',
    );
    expect(layered.map(({ Properties }) => Properties.Description).sort()).toEqual([
      'Runs ffmpeg ahead of time; has no right to anything',
      'Runs ffmpeg for somebody who waits; has no right to anything',
    ]);
  });

  test.each([
    ['Api', 'Runs ffmpeg for somebody'],
    ['Ingest', 'Runs ffmpeg for somebody'],
    ['Origin', 'Runs ffmpeg for somebody'],
    ['Maintenance', 'Runs ffmpeg for somebody'],
    ['Transcode', 'Runs ffmpeg ahead'],
    ['Janitor', undefined],
  ])('%s may invoke one sandbox at most: %s', (role, does) => {
    const invoked = statementsOf(template, (id) => id.startsWith(`Video${role}Role`))
      .filter(({ Action }) => [Action].flat().includes('lambda:InvokeFunction'))
      .map(({ Resource }) => Resource);
    expect(invoked).toEqual(does ? [{ 'Fn::GetAtt': [functionThat(template, does).id, 'Arn'] }] : []);
  });

  test('the janitor, and no other function of ours, has the CDN forget what it keeps', () => {
    const may = statementsOf(template, (own) => own.startsWith('Video')).filter(({ Action }) =>
      [Action].flat().some((action) => action.startsWith('cloudfront:')),
    );
    const { id } = only(ofType(template, 'AWS::CloudFront::Distribution'));
    expect(only(may)).toMatchObject({ Action: 'cloudfront:CreateInvalidation', Effect: 'Allow' });
    expect(JSON.stringify(only(may).Resource)).toContain(`distribution/",{"Ref":"${id}"}`);
    const janitors = statementsOf(template, (own) => own.startsWith('VideoJanitorRole'));
    expect(janitors).toContainEqual(only(may));
    const { Variables } = functionThat(template, 'Removes deleted videos').Properties.Environment;
    expect(Variables.DISTRIBUTION_ID).toEqual({ Ref: id });
  });

  test.each([
    ['default', 'video', { TenantIsolationMode: 'PER_TENANT' }],
    ['lowest', 'none', undefined],
  ])('%s: machines that run ffmpeg are apart by %s', async (name, isolation, tenancy) => {
    const of = await variants.template(name);
    for (const does of ['Runs ffmpeg for somebody', 'Runs ffmpeg ahead']) {
      expect(functionThat(of, does).Properties.TenancyConfig).toEqual(tenancy);
    }
    for (const does of [
      'Makes an artifact',
      'Has what is queued',
      'Plans a video',
      'Plans videos anew',
      'The HTTP API',
    ]) {
      const { Variables } = functionThat(of, does).Properties.Environment;
      expect(Variables.SANDBOX_ISOLATION).toBe(isolation);
    }
  });

  const COPIES = ['/mezzanine/*.mkv', '/mezzanine/*/*'];
  const MADE = ['/plans/*.json', '/v/*/*'];
  const OUTDATED = ['/plans/*.json', '/v/*/poster.jpg', '/v/*/storyboard.vtt', '/v/*/thumb/*'];
  const QUEUE = '/prewarm/queue.json';
  const REQUESTS = ['/cleanups/*.json', '/tombstones/*.json'];

  test.each([
    ['Api', 'PutObject', ['/cleanups/*.json', '/tombstones/*.json', '/uploads/*/source', '/videos/*.json']],
    ['Api', 'DeleteObject', ['/videos/*.json']],
    ['Api', 'AbortMultipartUpload', ['/uploads/*/source']],
    ['Api', 'ListMultipartUploadParts', ['/uploads/*/source']],
    ['Transcode', 'PutObject', ['/cleanups/*.json', ...MADE, QUEUE].sort()],
    ['Transcode', 'GetObject', [...COPIES, ...MADE, QUEUE, '/uploads/*/source', '/videos/*.json'].sort()],
    ['Transcode', 'DeleteObject', OUTDATED],
    ['Transcode', 'AbortMultipartUpload', []],
    ['Origin', 'PutObject', ['/cleanups/*.json', '/mezzanine/*/*', ...MADE]],
    ['Origin', 'DeleteObject', OUTDATED],
    ['Origin', 'ListMultipartUploadParts', ['/mezzanine/*/*']],
    ['Ingest', 'PutObject', ['/cleanups/*.json', '/mezzanine/*/*', ...MADE, QUEUE].sort()],
    ['Ingest', 'DeleteObject', OUTDATED],
    ['Ingest', 'AbortMultipartUpload', ['/mezzanine/*/*']],
    [
      'Maintenance',
      'PutObject',
      ['/cleanups/*.json', '/mezzanine/*/*', ...MADE, QUEUE, '/tombstones/*.json'].sort(),
    ],
    [
      'Maintenance',
      'GetObject',
      [...COPIES, ...MADE, QUEUE, ...REQUESTS, '/uploads/*/source', '/videos/*.json'].sort(),
    ],
    ['Maintenance', 'DeleteObject', [...COPIES, ...MADE]],
    ['Maintenance', 'AbortMultipartUpload', ['/mezzanine/*/*']],
    ['Janitor', 'PutObject', ['/tombstones/*.json', '/videos/*.json']],
    ['Janitor', 'GetObject', ['/plans/*.json', ...REQUESTS, '/uploads/*/source', '/videos/*.json'].sort()],
    [
      'Janitor',
      'DeleteObject',
      [...COPIES, ...MADE, ...REQUESTS, '/uploads/*/source', '/videos/*.json'].sort(),
    ],
    ['Janitor', 'AbortMultipartUpload', ['/mezzanine/*/*', '/uploads/*/source']],
    ['HttpAuthorizer', 'GetObject', []],
    ['IdsTelling', 'GetObject', []],
    ['IdsTelling', 'PutObject', []],
    ['IdsTelling', 'DeleteObject', []],
  ])('%s: s3:%s on %j only', (role, action, patterns) => {
    const found = statementsOf(template, (id) => id.startsWith(`Video${role}Role`))
      .filter(({ Action }) => [Action].flat().includes(`s3:${action}`))
      .flatMap(({ Resource }) => [Resource].flat())
      .map((resource) => (resource as { 'Fn::Join': [string, string[]] })['Fn::Join'][1].at(-1));
    expect(found.sort()).toEqual(patterns);
  });

  test('that a video waits is noted among the records, which takes no permission of its own', () => {
    expect(delayKey(newVideoId(new Date()))).toMatch(/^plans\/.+\.json$/);
  });

  test('only whoever plans or plans anew starts executions', () => {
    const starting = ofType(template, 'AWS::IAM::Policy').filter(({ Properties }) =>
      JSON.stringify(Properties.PolicyDocument).includes('"states:StartExecution"'),
    );
    expect(starting.map(({ id }) => /^Video(.+?(?=Role))/.exec(id)?.[1]).sort()).toEqual([
      'Ingest',
      'Maintenance',
    ]);
  });

  function statementsOf(of: Template, wanted: (id: string) => boolean = () => true): Statement[] {
    return ofType(of, 'AWS::IAM::Policy')
      .filter(({ id }) => wanted(id))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
  }
});

describe('the CDN', () => {
  test('every behaviour names an origin or a group that exists, every group origins that exist', async () => {
    for (const name of VARIANTS) {
      const { Origins, OriginGroups, CacheBehaviors, DefaultCacheBehavior } = distribution(
        await variants.template(name),
      );
      const origins = Origins.map(({ Id }: { Id: string }) => Id) as string[];
      const groups = OriginGroups.Items.map(({ Id }: { Id: string }) => Id) as string[];
      expect(new Set([...origins, ...groups]).size).toBe(origins.length + groups.length);
      for (const { TargetOriginId } of [...CacheBehaviors, DefaultCacheBehavior]) {
        expect([...origins, ...groups]).toContain(TargetOriginId);
      }
      for (const { Members } of OriginGroups.Items) {
        for (const { OriginId } of Members.Items) expect(origins).toContain(OriginId);
      }
    }
  });

  test('what is not stored is made: the group fails over on 403 and 404 from the bucket to the function', () => {
    const { OriginGroups, Origins } = distribution(template);
    const { FailoverCriteria, Members } = only(OriginGroups.Items as Json[]);
    expect(FailoverCriteria.StatusCodes.Items).toEqual([403, 404]);
    expect(FailoverCriteria.StatusCodes.Quantity).toBe(2);
    const [first, second] = Members.Items.map(({ OriginId }: { OriginId: string }) =>
      Origins.find(({ Id }: { Id: string }) => Id === OriginId),
    );
    expect(first).toHaveProperty('S3OriginConfig');
    expect(JSON.stringify(second.DomainName)).toContain('FunctionUrl');
    for (const origin of [first, second]) expect(origin.OriginAccessControlId).toBeDefined();
  });

  test('groups serve only methods that fail over', () => {
    const { OriginGroups, CacheBehaviors } = distribution(template);
    const groups = OriginGroups.Items.map(({ Id }: { Id: string }) => Id);
    const grouped = CacheBehaviors.filter(({ TargetOriginId }: Json) => groups.includes(TargetOriginId));
    expect(grouped.map(({ PathPattern }: Json) => PathPattern)).toEqual(['/v/*.m3u8', '/v/*.vtt', '/v/*']);
    for (const { AllowedMethods } of grouped) expect(AllowedMethods).toEqual(['GET', 'HEAD', 'OPTIONS']);
  });

  test('nothing is asked twice, nor longer than CloudFront waits', () => {
    const custom = (distribution(template).Origins as Json[]).filter((each) => each.CustomOriginConfig);
    expect(custom).toHaveLength(2); // the function URL and the API
    // The longest that CloudFront waits without a raised quota: no segment takes that.
    const made = only(custom.filter(({ DomainName }) => JSON.stringify(DomainName).includes('FunctionUrl')));
    expect([made.ConnectionAttempts, made.CustomOriginConfig.OriginReadTimeout]).toEqual([1, 60]);
    for (const { ConnectionAttempts = 3, CustomOriginConfig } of distribution(template).Origins) {
      if (!CustomOriginConfig) continue;
      expect(ConnectionAttempts).toBe(1);
      expect(CustomOriginConfig.OriginReadTimeout).toBeLessThanOrEqual(60);
      expect(CustomOriginConfig.OriginProtocolPolicy).toBe('https-only');
    }
  });

  test.each([
    ['default', { Enabled: false }],
    ['domain', { Enabled: true, OriginShieldRegion: 'eu-central-1' }],
  ])('%s: whoever is asked for videos, and nobody else, is asked by one cache: %j', async (name, shield) => {
    const of = await variants.template(name);
    const { OriginGroups, Origins } = distribution(of);
    const members = (only(OriginGroups.Items as Json[]).Members.Items as Json[]).map(
      ({ OriginId }) => OriginId as string,
    );
    expect(members).toHaveLength(2);
    for (const { Id, OriginShield } of Origins) {
      expect(OriginShield).toEqual(members.includes(Id) ? shield : undefined);
    }
  });

  test('may call the function URL, for which it takes two permissions; nobody else may', () => {
    const origin = functionThat(template, 'Makes an artifact');
    const url = only(ofType(template, 'AWS::Lambda::Url'));
    expect(url.Properties).toMatchObject({ AuthType: 'AWS_IAM', InvokeMode: 'RESPONSE_STREAM' });
    const permissions = ofType(template, 'AWS::Lambda::Permission').filter(({ Properties }) =>
      [url.id, origin.id].includes(Properties.FunctionName['Fn::GetAtt'][0]),
    );
    const { id } = only(ofType(template, 'AWS::CloudFront::Distribution'));
    expect(
      permissions.map(({ Properties }) => [Properties.Action, Properties.InvokedViaFunctionUrl]).sort(),
    ).toEqual([
      ['lambda:InvokeFunction', true],
      ['lambda:InvokeFunctionUrl', undefined],
    ]);
    for (const { Properties } of permissions) {
      expect(Properties.Principal).toBe('cloudfront.amazonaws.com');
      expect(JSON.stringify(Properties.SourceArn)).toContain(id);
    }
  });

  test('a function URL never sees a foreign Host; the API sees all but the Host', () => {
    const CORS_S3_ORIGIN = '88a5eaf4-2fd4-4709-b370-b4c650ea3fcf';
    const ALL_VIEWER_EXCEPT_HOST_HEADER = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';
    expect(behavior(template, '/v/*').OriginRequestPolicyId).toBe(CORS_S3_ORIGIN);
    expect(behavior(template, '/api/*').OriginRequestPolicyId).toBe(ALL_VIEWER_EXCEPT_HOST_HEADER);
  });

  test('segments are cached once for everyone, as long as they say; playlists are compressed', () => {
    const policy = (path: string) => {
      const id = behavior(template, path).CachePolicyId.Ref;
      return template.Resources[id]!.Properties.CachePolicyConfig;
    };
    for (const [path, compressed] of [
      ['/v/*', false],
      ['/v/*.m3u8', true],
    ] as const) {
      expect(policy(path)).toMatchObject({
        MinTTL: 0,
        DefaultTTL: 0,
        MaxTTL: 31536000,
        ParametersInCacheKeyAndForwardedToOrigin: {
          EnableAcceptEncodingGzip: compressed,
          EnableAcceptEncodingBrotli: compressed,
          CookiesConfig: { CookieBehavior: 'none' },
          HeadersConfig: { HeaderBehavior: 'none' },
          QueryStringsConfig: { QueryStringBehavior: 'none' },
        },
      });
      expect(behavior(template, path).Compress).toBe(compressed);
    }
  });

  test('no error is kept but for as long as it says itself', () => {
    const errors = distribution(template).CustomErrorResponses as {
      ErrorCode: number;
      ErrorCachingMinTTL: number;
    }[];
    expect(errors.map(({ ErrorCode }) => ErrorCode)).toEqual([
      400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504,
    ]);
    // Cache-Control of an error counts where it is longer than this, up to MaxTTL. Source: AWS, "Control how long CloudFront
    // caches errors".
    expect(errors.every(({ ErrorCachingMinTTL }) => ErrorCachingMinTTL === 0)).toBe(true);
  });

  test('speaks HTTP/2 and 3; videos may be played on any page, the page is framed by none', () => {
    expect(distribution(template).HttpVersion).toBe('http2and3');
    const headers = (of: Json): Json =>
      template.Resources[of.ResponseHeadersPolicyId.Ref]!.Properties.ResponseHeadersPolicyConfig;
    expect(headers(behavior(template, '/v/*')).CorsConfig.AccessControlAllowOrigins.Items).toEqual(['*']);
    const page = JSON.stringify(headers(distribution(template).DefaultCacheBehavior).SecurityHeadersConfig);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain("frame-ancestors 'none'");
    expect(page).toContain('VideoBucketsUploads'); // where the browser sends the file
  });

  test('the page of a video is its own to say who may frame it', () => {
    for (const path of ['/watch/*', '/embed/*']) {
      const { TargetOriginId, ResponseHeadersPolicyId, CachePolicyId } = behavior(template, path);
      expect({ TargetOriginId, CachePolicyId }).toEqual({
        TargetOriginId: behavior(template, '/api/*').TargetOriginId,
        CachePolicyId: behavior(template, '/api/*').CachePolicyId,
      });
      const { SecurityHeadersConfig } =
        template.Resources[ResponseHeadersPolicyId.Ref]!.Properties.ResponseHeadersPolicyConfig;
      expect(Object.keys(SecurityHeadersConfig)).toEqual(['StrictTransportSecurity']);
    }
  });

  test('with a domain: its names, its certificate, and URLs that carry it', async () => {
    const withDomain = await variants.template('domain');
    expect(distribution(withDomain)).toMatchObject({
      Aliases: ['video.example.com', 'v.example.com'],
      ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021', SslSupportMethod: 'sni-only' },
    });
    const { Variables } = functionThat(withDomain, 'The HTTP API').Properties.Environment;
    expect(Variables.PUBLIC_BASE_URL).toBe('https://video.example.com');
    expect(withDomain.Outputs['SiteUrl']!.Value).toBe('https://video.example.com');
  });
});

describe('the API', () => {
  const routes = (of: Template) =>
    Object.fromEntries(
      ofType(of, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => [
        Properties.RouteKey,
        Properties.AuthorizationType,
      ]),
    );

  test('asks for the key wherever something is made, listed or deleted, and for tokens', () => {
    expect(routes(template)).toEqual({
      'GET /api/health': 'NONE',
      'GET /api/openapi.json': 'NONE',
      'POST /api/session': 'CUSTOM',
      'DELETE /api/session': 'NONE',
      'GET /api/uploads': 'CUSTOM',
      'POST /api/uploads': 'CUSTOM',
      'DELETE /api/uploads/{id}': 'CUSTOM',
      'POST /api/uploads/{id}/tokens': 'CUSTOM',
      'ANY /api/u/{proxy+}': 'NONE',
      'GET /api/videos': 'CUSTOM',
      'GET /api/videos/{id}': 'NONE',
      'DELETE /api/videos/{id}': 'CUSTOM',
      'POST /api/videos/{id}/restore': 'CUSTOM',
      'POST /api/videos/{id}/tokens': 'CUSTOM',
      'GET /watch/{id}': 'NONE',
      'GET /embed/{id}': 'NONE',
      'HEAD /watch/{id}': 'NONE',
      'HEAD /embed/{id}': 'NONE',
    });
    expect(only(ofType(template, 'AWS::ApiGatewayV2::Authorizer')).Properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      AuthorizerResultTtlInSeconds: 300,
      IdentitySource: ['$request.header.Authorization'],
    });
  });

  test('is throttled', () => {
    const { DefaultRouteSettings } = only(ofType(template, 'AWS::ApiGatewayV2::Stage')).Properties;
    expect(DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 });
  });

  test('with a JWT issuer: no key and no authorizer of ours', async () => {
    const jwt = await variants.template('jwt');
    expect(routes(jwt)['POST /api/uploads']).toBe('JWT');
    expect(only(ofType(jwt, 'AWS::ApiGatewayV2::Authorizer')).Properties.JwtConfiguration).toEqual({
      Audience: ['one', 'two'],
      Issuer: 'https://issuer.example.com',
    });
    expect(ofType(jwt, 'AWS::SecretsManager::Secret').filter(({ id }) => /HttpKey/.test(id))).toEqual([]);
    expect(
      ofType(template, 'AWS::SecretsManager::Secret').filter(({ id }) => /HttpKey/.test(id)),
    ).toHaveLength(1);
    expect(Object.keys(jwt.Outputs)).toEqual(['SiteUrl', 'ApiUrl', 'PlaybackBaseUrl']);
  });

  test('the outputs say where everything is, and how to read the key, but not the key', () => {
    expect(Object.keys(template.Outputs)).toEqual(['SiteUrl', 'ApiUrl', 'PlaybackBaseUrl', 'ApiKeyCommand']);
    expect(JSON.stringify(template.Outputs['ApiKeyCommand'])).toContain(
      'aws secretsmanager get-secret-value',
    );
  });
});

describe('protected playback', () => {
  test('is checked on every path below /v before the cache is asked, and nowhere else', async () => {
    const { CacheBehaviors, DefaultCacheBehavior } = distribution(await variants.template('token'));
    for (const { PathPattern = 'default', FunctionAssociations } of [
      ...CacheBehaviors,
      DefaultCacheBehavior,
    ]) {
      const events = (FunctionAssociations ?? []).map(({ EventType }: { EventType: string }) => EventType);
      expect([PathPattern, events]).toEqual([
        PathPattern,
        PathPattern.startsWith('/v/') || PathPattern === '/api/*' ? ['viewer-request'] : [],
      ]);
      const [{ FunctionARN } = {}] = FunctionAssociations ?? [];
      if (PathPattern.startsWith('/v/'))
        expect(JSON.stringify(FunctionARN)).toContain('VideoPlaybackTokensCheck');
    }
  });

  test('is deployed as it is tested, with the KeyValueStore that its runtime reads', async () => {
    const token = await variants.template('token');
    const functions = ofType(token, 'AWS::CloudFront::Function');
    const { Properties } = only(functions.filter(({ id }) => id.includes('PlaybackTokens')));
    expect(Properties.FunctionCode).toBe(await readFile(join(ROOT, 'lib/playback-token.cf.js'), 'utf8'));
    expect(Properties.FunctionConfig.Runtime).toBe('cloudfront-js-2.0');
    const store = only(ofType(token, 'AWS::CloudFront::KeyValueStore')); // no other check is made
    expect(Properties.FunctionConfig.KeyValueStoreAssociations).toEqual([
      { KeyValueStoreARN: { 'Fn::GetAtt': [store.id, 'Arn'] } },
    ]);
    expect(store.Properties).not.toHaveProperty('ImportSource'); // nothing that a template could show
  });

  test('its secret is generated, named to the API and the rotation, and rotated less often than tokens live', async () => {
    const token = await variants.template('token');
    const secret = playbackSecret(token);
    expect(secret.Properties.GenerateSecretString).toMatchObject({
      GenerateStringKey: 'a',
      SecretStringTemplate: '{"current":"a"}',
    });
    expect(secret.Properties).not.toHaveProperty('SecretString');
    for (const does of ['The HTTP API', 'Copies the playback secrets']) {
      const { Variables } = functionThat(token, does).Properties.Environment;
      expect(Variables.PLAYBACK_SECRET_ARN).toEqual({ Ref: secret.id });
    }
    expect(only(ofType(token, 'AWS::SecretsManager::RotationSchedule')).Properties).toMatchObject({
      RotateImmediatelyOnUpdate: false,
      RotationRules: { ScheduleExpression: 'rate(90 days)' },
    });
  });

  test('its secret is read by the API and the rotation, and changed by the rotation alone', async () => {
    const token = await variants.template('token');
    const secret = playbackSecret(token);
    const allowed = (action: RegExp): string[] =>
      ofType(token, 'AWS::IAM::Policy')
        .filter(({ Properties }) =>
          (Properties.PolicyDocument.Statement as Statement[]).some(
            ({ Effect, Action, Resource }) =>
              Effect === 'Allow' &&
              [Action].flat().some((each) => action.test(each)) &&
              JSON.stringify(Resource).includes(`"${secret.id}"`),
          ),
        )
        .map(({ id }) => /^Video(.+?)Role/.exec(id)?.[1] ?? id)
        .sort();
    expect(allowed(/^secretsmanager:(GetSecretValue|\*)$/)).toEqual(['Api', 'PlaybackTokensRotation']);
    expect(allowed(/^secretsmanager:(Put|Update|Delete|\*)/)).toEqual(['PlaybackTokensRotation']);
    for (const { Properties } of ofType(token, 'AWS::SecretsManager::ResourcePolicy')) {
      if (JSON.stringify(Properties.SecretId).includes(`"${secret.id}"`)) {
        expect(Properties.ResourcePolicy.Statement.map(({ Effect }: Statement) => Effect)).toEqual(['Deny']);
      }
    }
  });

  test('the mode is told to the API, the secret only where there is one', async () => {
    const told = (of: Template) => functionThat(of, 'The HTTP API').Properties.Environment.Variables;
    expect(told(await variants.template('token'))).toMatchObject({ PLAYBACK: 'token' });
    expect(told(template)).toMatchObject({ PLAYBACK: 'public' });
    expect(told(template)).not.toHaveProperty('PLAYBACK_SECRET_ARN');
  });

  test('its rotation is called for this account only', async () => {
    const token = await variants.template('token');
    const permission = only(
      ofType(token, 'AWS::Lambda::Permission').filter(
        ({ Properties }) => Properties.Principal === 'secretsmanager.amazonaws.com',
      ),
    );
    expect(permission.Properties.SourceAccount).toEqual({ Ref: 'AWS::AccountId' });
  });

  test('the edge has its secret before anything is rotated, and before the stack is done', async () => {
    const token = await variants.template('token');
    const [schedule] = ofType(token, 'AWS::SecretsManager::RotationSchedule');
    const trigger = only(ofType(token, 'Custom::Trigger'));
    expect(schedule!['DependsOn']).toContain(trigger.id);
    expect(trigger['DependsOn']).toContain(only(ofType(token, 'AWS::CloudFront::KeyValueStore')).id);
  });

  const playbackSecret = (of: Template) =>
    only(ofType(of, 'AWS::SecretsManager::Secret').filter(({ id }) => id.startsWith('VideoPlaybackTokens')));
});

describe('public playback', () => {
  const check = (of: Template) =>
    only(ofType(of, 'AWS::CloudFront::Function').filter(({ id }) => id.startsWith('VideoIds')));
  const store = (of: Template) => only(ofType(of, 'AWS::CloudFront::KeyValueStore'));
  const key = (of: Template) =>
    only(ofType(of, 'AWS::SecretsManager::Secret').filter(({ id }) => id.startsWith('VideoIds')));

  test('ids are checked on every path below /v before the cache is asked, and nowhere else', () => {
    const { CacheBehaviors, DefaultCacheBehavior } = distribution(template);
    const checked = [...CacheBehaviors, DefaultCacheBehavior].filter(({ FunctionAssociations = [] }: Json) =>
      JSON.stringify(FunctionAssociations).includes(check(template).id),
    );
    expect(checked.map(({ PathPattern }: Json) => PathPattern)).toEqual(['/v/*.m3u8', '/v/*.vtt', '/v/*']);
    for (const { FunctionAssociations } of checked) {
      expect(FunctionAssociations).toEqual([
        { EventType: 'viewer-request', FunctionARN: { 'Fn::GetAtt': [check(template).id, 'FunctionARN'] } },
      ]);
    }
  });

  test('the check is deployed as it is tested, with the KeyValueStore that its runtime reads', async () => {
    const { FunctionCode, FunctionConfig } = check(template).Properties;
    expect(FunctionCode).toBe(await readFile(join(ROOT, 'lib/video-id.cf.js'), 'utf8'));
    expect(FunctionConfig).toMatchObject({
      Runtime: 'cloudfront-js-2.0',
      KeyValueStoreAssociations: [{ KeyValueStoreARN: { 'Fn::GetAtt': [store(template).id, 'Arn'] } }],
    });
    expect(store(template).Properties).not.toHaveProperty('ImportSource'); // nothing that a template could show
  });

  test('the key is generated, and read by whoever makes ids and whoever tells the edge', async () => {
    for (const [name, readers] of [
      ['default', ['Api', 'IdsTelling']],
      ['token', ['Api']], // so that its ids are known when playback becomes public
    ] as const) {
      const of = await variants.template(name);
      const { id, Properties } = key(of);
      expect(Properties.GenerateSecretString).toMatchObject({ PasswordLength: 64 });
      expect(Properties).not.toHaveProperty('SecretString');
      const reading = ofType(of, 'AWS::IAM::Policy').filter((policy) =>
        (policy.Properties.PolicyDocument.Statement as Statement[]).some(
          ({ Action, Resource }) =>
            [Action].flat().includes('secretsmanager:GetSecretValue') &&
            JSON.stringify(Resource).includes(`"${id}"`),
        ),
      );
      expect(reading.map((policy) => /^Video(.+?)Role/.exec(policy.id)?.[1]).sort()).toEqual(readers);
    }
  });

  test('whoever tells the edge may list videos, and write this store', () => {
    const statements = ofType(template, 'AWS::IAM::Policy')
      .filter(({ id }) => id.startsWith('VideoIdsTellingRole'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
    const allowed = (service: string) =>
      statements.filter(({ Action }) => [Action].flat().some((each) => each.startsWith(`${service}:`)));
    const { Action, Resource } = only(allowed('s3'));
    expect(Action).toBe('s3:ListBucket');
    expect(JSON.stringify(Resource)).toMatch(/"VideoBucketsMedia\w+","Arn"/);
    expect(only(allowed('cloudfront-keyvaluestore')).Resource).toEqual({
      'Fn::GetAtt': [store(template).id, 'Arn'],
    });
  });

  test('the edge is told once the API makes ids with the key, which is after the edge checks what it is told', async () => {
    for (const name of ['default', 'all ids']) {
      const of = await variants.template(name);
      const trigger = only(ofType(of, 'Custom::Trigger'));
      const before = neededBy(trigger.id, of);
      expect(before).toContain(functionThat(of, 'The HTTP API').id);
      expect(before).toContain(only(ofType(of, 'AWS::CloudFront::Distribution')).id);
      // Longer than the function may take, and nobody waits longer than Lambda lets anything run.
      const { Timeout } = functionThat(of, 'Tells the edge').Properties;
      expect([Timeout, Number(trigger.Properties.Timeout)]).toEqual([900, 900_000]);
    }
  });

  test.each([
    ['default', 'listed'],
    ['all ids', 'all'],
  ])('%s: ids that fit no key are admitted where %s', async (name, unchecked) => {
    const { Variables } = functionThat(await variants.template(name), 'Tells the edge').Properties
      .Environment;
    expect(Variables.UNCHECKED_IDS).toBe(unchecked);
  });

  test('with the other check there is neither this one nor what tells the edge', async () => {
    const token = await variants.template('token');
    expect(() => check(token)).toThrow('There are 0');
    expect(() => functionThat(token, 'Tells the edge')).toThrow('There are 0');
  });
});

describe('the prewarm', () => {
  const THROTTLED = [
    'Lambda.TooManyRequestsException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
  ];
  const environmentOf = (of: Template, does: string) =>
    functionThat(of, does).Properties.Environment.Variables;
  /** Whoever queues work, and whoever does it. */
  const QUEUEING = ['Plans a video', 'Plans videos anew', 'Has what is queued'];

  test('calls a worker again until nothing is left, with what it has answered', () => {
    const { StartAt, States, TimeoutSeconds } = definition(template);
    expect(StartAt).toBe('Transcode');
    expect(States.Transcode).toMatchObject({
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { 'Payload.$': '$' },
      OutputPath: '$.Payload',
      Next: 'MoreLeft',
    });
    expect(States.MoreLeft).toMatchObject({
      Choices: [{ Variable: '$.more', BooleanEquals: true, Next: 'Pause' }],
      Default: 'Done',
    });
    expect(States.Pause).toMatchObject({ SecondsPath: '$.waitSeconds', Next: 'Transcode' });
    // However long the queue is.
    expect(TimeoutSeconds).toBeUndefined();
  });

  test('waits long for a free execution and for the end of an outage; a worker that died is called a few times more', () => {
    const { Transcode } = definition(template).States;
    expect(Transcode.Catch).toBeUndefined();
    expect(
      (Transcode.Retry as Json[]).map(({ ErrorEquals, MaxAttempts }) => [ErrorEquals, MaxAttempts]),
    ).toEqual([
      [[...THROTTLED, ...OUTAGE_CODES], 500],
      [['States.ALL'], 3],
    ]);
    // Full jitter halves the wait.
    const [patient] = Transcode.Retry as Json[];
    expect((patient.MaxAttempts * patient.MaxDelaySeconds) / 2).toBeGreaterThanOrEqual(4 * 3600);
  });

  test('of the ten executions of a new account it leaves two to viewers, uploads and the API', () => {
    for (const does of QUEUEING) {
      const concurrency = Number(environmentOf(template, does).PREWARM_CONCURRENCY);
      // Those who encode, and the workers that wait for them.
      expect([does, concurrency + lanesOf(concurrency).length]).toEqual([does, 8]);
    }
    const reserved = ofType(template, 'AWS::Lambda::Function').filter(
      ({ Properties }) => Properties.ReservedConcurrentExecutions !== undefined,
    );
    expect(reserved).toEqual([]); // a new account has none to give
  });

  test('as many at a time as was asked for', async () => {
    const lowest = await variants.template('lowest');
    for (const does of QUEUEING) {
      expect(environmentOf(lowest, does)).toMatchObject({ PREWARM_CONCURRENCY: '40' });
    }
    expect(environmentOf(lowest, 'Plans a video')).toMatchObject({
      PREWARM: 'lowest',
      PREWARM_EFFORT: 'quick',
      LARGEST_RUNG: '2160p',
      MAX_DURATION_SECONDS: '60',
      MAX_PICTURE_PIXELS: '2073600',
      MAX_STREAMS: '9',
    });
  });
});

/** The state machine with its references replaced by ARNs of the right form. */
function definition(of: Template) {
  const text = only(ofType(of, 'AWS::StepFunctions::StateMachine'))
    .Properties.DefinitionString['Fn::Join'][1].map((part: string | { Ref?: string }) =>
      typeof part === 'string'
        ? part
        : part.Ref === 'AWS::Partition'
          ? 'aws'
          : part.Ref
            ? 'a-bucket'
            : FUNCTION_ARN,
    )
    .join('');
  return JSON.parse(text);
}
const FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:one';

describe('alarms', () => {
  test('each is sent somewhere and has its entry in the runbook', async () => {
    const runbook = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
    const headings = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const alarms = ofType(template, 'AWS::CloudWatch::Alarm');
    const named = alarms.map(
      ({ Properties }) => /docs\/operations\.md#([\w-]+)$/.exec(Properties.AlarmDescription)?.[1],
    );
    expect(headings).toEqual(expect.arrayContaining(named));
    expect(new Set(named).size).toBe(alarms.length);
    for (const { Properties } of alarms) {
      expect(Properties.AlarmActions).toHaveLength(1);
      expect(Properties.TreatMissingData).toBe('notBreaching');
    }
  });

  test('what Lambda gives up is where npm run redrive looks for it', () => {
    const kept = ofType(template, 'AWS::Lambda::EventInvokeConfig').flatMap(
      ({ Properties }) => Properties.DestinationConfig?.OnFailure.Destination['Fn::GetAtt'][0] ?? [],
    );
    const queues = Object.keys(template.Resources).filter((id) => DEAD_LETTERS.test(id));
    expect(kept).toHaveLength(2);
    expect(queues.sort()).toEqual(kept.sort());
  });

  test('what the runbook calls by its logical id is one resource', async () => {
    const runbook = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
    const called = [...runbook.matchAll(/physical (\w+) (AWS::[\w:]+)/g)].map(([, id, type]) => [id!, type!]);
    expect(called.length).toBeGreaterThan(10);
    // Some are there with tokens only, and some only without.
    const both = [await variants.template('token'), template];
    for (const [id, type] of called) {
      const counts = both.map((of) => ofType(of, type!).filter((each) => each.id.startsWith(id!)).length);
      expect([id, type, Math.max(...counts)]).toEqual([id, type, 1]);
    }
    const outputs = [...runbook.matchAll(/\$\(output (\w+)\)/g)].map(([, name]) => name!);
    expect(Object.keys(template.Outputs)).toEqual(expect.arrayContaining(outputs));
    expect(outputs).toContain('SiteUrl');
  });

  test.each([
    ['QueueStandsStill', 'QueueStandstill', 1800],
    ['QueueIsOld', 'QueueAge', 24 * 3600],
    ['PrewarmFailed', 'VideosFailed', 1],
    ['PrewarmFailed', 'RevisionsFailed', 1],
  ])('%s asks for the %s that functions write', (alarm, metricName, threshold) => {
    const { Properties } = only(
      ofType(template, 'AWS::CloudWatch::Alarm').filter(({ id }) => id.includes(alarm)),
    );
    const { Variables } = functionThat(template, 'Has what is queued').Properties.Environment;
    const asked = (Properties.Metrics as Json[]).flatMap(({ MetricStat }) => MetricStat ?? []);
    expect(asked.map(({ Metric }) => Metric)).toContainEqual({
      Namespace: 'InstantHLS',
      MetricName: metricName,
      Dimensions: [{ Name: 'service', Value: Variables.POWERTOOLS_SERVICE_NAME }],
    });
    expect(Properties.Threshold).toBe(threshold);
  });

  test('WorkerFailed asks for executions of the state machine that failed or were ended by somebody', () => {
    const { Properties } = only(
      ofType(template, 'AWS::CloudWatch::Alarm').filter(({ id }) => id.includes('WorkerFailed')),
    );
    const machine = only(ofType(template, 'AWS::StepFunctions::StateMachine'));
    const asked = (Properties.Metrics as Json[]).flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
    expect(asked).toEqual(
      ['ExecutionsFailed', 'ExecutionsAborted'].map((MetricName) => ({
        ...{ Namespace: 'AWS/States', MetricName },
        Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: machine.id } }],
      })),
    );
    expect(Properties.Threshold).toBe(1);
  });

  test('EventsWait asks for the age of all events that Lambda keeps for hours', () => {
    const { Properties } = only(
      ofType(template, 'AWS::CloudWatch::Alarm').filter(({ id }) => id.includes('EventsWait')),
    );
    const kept = ofType(template, 'AWS::Lambda::EventInvokeConfig').filter(
      (each) => each.Properties.MaximumEventAgeInSeconds > 60,
    );
    expect(kept).toHaveLength(3);
    const asked = (Properties.Metrics as Json[]).flatMap(({ MetricStat }) => MetricStat ?? []);
    const byFunction = (all: Json[]) => all.map((each) => JSON.stringify(each)).sort();
    expect(byFunction(asked)).toEqual(
      byFunction(
        kept.map((each) => ({
          Metric: {
            Dimensions: [{ Name: 'FunctionName', Value: each.Properties.FunctionName }],
            MetricName: 'AsyncEventAge',
            Namespace: 'AWS/Lambda',
          },
          Period: 300,
          Stat: 'Maximum',
        })),
      ),
    );
    const expression = (Properties.Metrics as Json[]).find(({ Expression }) => Expression);
    expect(expression.Expression).toBe('MAX([ingest, maintenance, janitor])');
    // Older than what is tried a second time after a whole run, and long before what is given up.
    const longest = Math.max(
      ...kept.map(
        ({ Properties: { FunctionName } }) => template.Resources[FunctionName.Ref]!.Properties.Timeout,
      ),
    );
    expect(Properties.Threshold).toBeGreaterThan((longest + 60) * 1000);
    expect(Properties.Threshold).toBeLessThan((kept[0]!.Properties.MaximumEventAgeInSeconds * 1000) / 4);
  });

  test('what a month costs is told to the topic of the alarms, which lets AWS Budgets in', async () => {
    const token = await variants.template('token');
    const topic = only(ofType(token, 'AWS::SNS::Topic'));
    const budget = only(ofType(token, 'AWS::Budgets::Budget'));
    expect(budget.Properties.Budget).toMatchObject({
      ...{ BudgetType: 'COST', TimeUnit: 'MONTHLY' },
      BudgetLimit: { Amount: 50, Unit: 'USD' },
    });
    const notices = budget.Properties.NotificationsWithSubscribers as Json[];
    expect(
      notices.map(({ Notification: { NotificationType, Threshold } }) => [NotificationType, Threshold]),
    ).toEqual([
      ['ACTUAL', 80],
      ['ACTUAL', 100],
      ['FORECASTED', 100],
    ]);
    for (const { Subscribers } of notices) {
      expect(Subscribers).toEqual([{ SubscriptionType: 'SNS', Address: { Ref: topic.id } }]);
    }
    const policy = only(ofType(token, 'AWS::SNS::TopicPolicy'));
    expect(publishersIn(token)).toEqual(['budgets.amazonaws.com', 'cloudwatch.amazonaws.com']);
    // It is tried when the budget is made.
    expect(neededBy(budget.id, token)).toContain(policy.id);

    expect(ofType(template, 'AWS::Budgets::Budget')).toEqual([]);
    expect(publishersIn(template)).toEqual(['cloudwatch.amazonaws.com']);
  });

  /** The services that may publish to the topic, for this account. */
  function publishersIn(of: Template): string[] {
    const { Statement } = only(ofType(of, 'AWS::SNS::TopicPolicy')).Properties.PolicyDocument;
    const allowed = (Statement as Statement[]).filter(({ Effect }) => Effect === 'Allow');
    for (const { Action, Resource, Condition } of allowed) {
      expect([Action, Resource]).toEqual(['sns:Publish', { Ref: only(ofType(of, 'AWS::SNS::Topic')).id }]);
      expect(Condition).toEqual({ StringEquals: { 'AWS:SourceAccount': { Ref: 'AWS::AccountId' } } });
    }
    return allowed.flatMap(({ Principal }) => (Principal as { Service: string | string[] }).Service);
  }

  test('a single video that waits again and again is seen within half an hour', () => {
    const { Properties } = only(
      ofType(template, 'AWS::CloudWatch::Alarm').filter(({ id }) => id.includes('VideosDelayed')),
    );
    const { Variables } = functionThat(template, 'Has what is queued').Properties.Environment;
    // Metrics are told apart by their dimensions: it must be the very ones that the functions write.
    const { Metric, Period, Stat } = only(Properties.Metrics as Json[]).MetricStat;
    expect(Metric).toEqual({
      Namespace: 'InstantHLS',
      MetricName: 'VideosDelayed',
      Dimensions: [{ Name: 'service', Value: Variables.POWERTOOLS_SERVICE_NAME }],
    });
    expect([Stat, Properties.Threshold]).toEqual(['Sum', 1]);
    expect(Properties.DatapointsToAlarm).toBeGreaterThan(1); // what a bad moment delays is well again by then
    expect(Properties.EvaluationPeriods * Period).toBeLessThanOrEqual(30 * 60);
  });

  test('go to a topic that CloudWatch may publish to; by mail, where one is given', async () => {
    const token = await variants.template('token');
    expect(publishersIn(token)).toContain('cloudwatch.amazonaws.com');
    expect(only(ofType(token, 'AWS::SNS::Subscription')).Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'me@example.com',
    });
    expect(ofType(template, 'AWS::SNS::Subscription')).toEqual([]);
  });
});
