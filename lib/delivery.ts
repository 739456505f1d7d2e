// The CDN: the page below /, the API below /api, the videos below /v, a page for each below /watch and /embed. A video's artifact is looked for in the bucket
// first; what is not there is made by `origin`, whose answer is cached like any other.

import { Duration, Names, Stack } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { join } from 'node:path';
import { contentSecurityPolicy } from '../core/access/content-security-policy.ts';
import { GATEWAY_TIMEOUT_SECONDS, ORIGIN_TIMEOUT_SECONDS } from '../core/aws-limits.ts';
import { PREFLIGHT_SECONDS } from '../core/limits.ts';
import { acknowledge } from './acknowledge.ts';

export interface CdnDomain {
  /** The first is the one that URLs are given out with. */
  names: string[];
  /** In us-east-1, where CloudFront looks for it, whatever the stack's region. */
  certificate: acm.ICertificate;
}

/** The name of a region, or `off`. */
export type OriginShield = string;

export interface DeliveryProps {
  media: s3.Bucket;
  uploads: s3.Bucket;
  page: s3.Bucket;
  origin: lambda.Function;
  apiDomainName: string;
  domain?: CdnDomain | undefined;
  originShield: OriginShield;
  /** Runs before the cache is asked for a video. */
  playbackCheck: cloudfront.IFunction;
}

/** The longest that CloudFront waits for an origin without a raised quota, and longer than any segment takes. */
const ORIGIN_TIMEOUT = Duration.seconds(ORIGIN_TIMEOUT_SECONDS);

export class Delivery extends Construct {
  readonly distribution: cloudfront.Distribution;
  /** Scheme and host, without a slash at the end. */
  readonly baseUrl: string;

  constructor(scope: Construct, id: string, props: DeliveryProps) {
    super(scope, id);
    const { media, page, domain } = props;
    const videos = this.videoBehaviors(props);
    const api = apiBehavior(props);
    // They bring a policy of their own, as an embed may stand in anybody's frame.
    const videoPage = {
      responseHeadersPolicy: this.videoPageHeaders(),
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
    };

    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: 'Instant HLS: page, API and videos',
      defaultRootObject: 'index.html',
      defaultBehavior: {
        origin: origins.S3BucketOrigin.withOriginAccessControl(page),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: this.pageHeaders(props.uploads),
      },
      additionalBehaviors: {
        '/api/*': {
          ...api,
          allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
          functionAssociations: [
            { function: this.session(), eventType: cloudfront.FunctionEventType.VIEWER_REQUEST },
          ],
        },
        '/watch/*': { ...api, ...videoPage },
        '/embed/*': { ...api, ...videoPage },
        // Compression makes Accept-Encoding a part of the cache key. That is right for text; for segments, which no
        // edge compresses, it would keep the same bytes once for every spelling of the header.
        '/v/*.m3u8': { ...videos, cachePolicy: this.videoCache('Text', true), compress: true },
        '/v/*.vtt': { ...videos, cachePolicy: this.videoCache('Tracks', true), compress: true },
        '/v/*': { ...videos, cachePolicy: this.videoCache('Segments', false), compress: false },
      },
      // An error tells of this moment only; by default the next ten seconds' viewers would get it, too.
      errorResponses: [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].map((httpStatus) => ({
        httpStatus,
        ttl: Duration.seconds(0),
      })),
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      ...(domain
        ? {
            domainNames: domain.names,
            certificate: domain.certificate,
            minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
          }
        : {}),
    });
    this.baseUrl = `https://${domain?.names[0] ?? this.distribution.distributionDomainName}`;

    // Only what is below v/: plans and cards are nobody's business. And only reading: with s3:ListBucket a missing key
    // would be told from a forbidden one, to whoever asks.
    media.addToResourcePolicy(
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [media.arnForObjects('v/*')],
        principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
        conditions: { StringEquals: { 'AWS:SourceArn': this.distribution.distributionArn } },
      }),
    );
    this.nameByRegion();
    this.acknowledgeFindings(domain);
  }

  /**
   * CloudFront's names are an account's, whatever the region: two stacks of one name in two regions must not meet in them.
   * (CDK does so for caches and functions. The KeyValueStore of tokens would be replaced, so it keeps its name.)
   */
  private nameByRegion(): void {
    for (const named of this.node.findAll()) {
      const name = () => `${Names.uniqueResourceName(named, { maxLength: 48 })}-${Stack.of(this).region}`;
      if (named instanceof cloudfront.CfnOriginAccessControl) {
        named.addPropertyOverride('OriginAccessControlConfig.Name', name());
      }
      if (named instanceof cloudfront.CfnResponseHeadersPolicy) {
        named.addPropertyOverride('ResponseHeadersPolicyConfig.Name', name());
      }
    }
  }

  private videoBehaviors({
    media,
    origin,
    originShield,
    playbackCheck,
  }: DeliveryProps): cloudfront.BehaviorOptions {
    const url = origin.addFunctionUrl({
      authType: lambda.FunctionUrlAuthType.AWS_IAM,
      invokeMode: lambda.InvokeMode.RESPONSE_STREAM, // a buffered answer ends at 6 MB
    });
    const access = new cloudfront.S3OriginAccessControl(this, 'MediaAccess');
    // One that was on has to be told that it is off.
    const shield =
      originShield === 'off' ? { originShieldEnabled: false } : { originShieldRegion: originShield };
    return {
      origin: new origins.OriginGroup({
        primaryOrigin: origins.S3BucketOrigin.withBucketDefaults(media, {
          originAccessControlId: access.originAccessControlId,
          ...shield,
        }),
        fallbackOrigin: origins.FunctionUrlOrigin.withOriginAccessControl(url, {
          // Attempts count answers that took too long: with three, a slow segment would be made three times at once.
          connectionAttempts: 1,
          readTimeout: ORIGIN_TIMEOUT,
          ...shield,
        }),
        fallbackStatusCodes: [403, 404], // without s3:ListBucket a missing key is a 403
      }),
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS, // others would not fail over
      // Only what a CORS preflight is answered by. Never the Host: a function URL refuses a foreign one.
      originRequestPolicy: cloudfront.OriginRequestPolicy.CORS_S3_ORIGIN,
      responseHeadersPolicy: this.playbackHeaders(),
      functionAssociations: [
        { function: playbackCheck, eventType: cloudfront.FunctionEventType.VIEWER_REQUEST },
      ],
    };
  }

  private session(): cloudfront.Function {
    return new cloudfront.Function(this, 'Session', {
      code: cloudfront.FunctionCode.fromFile({ filePath: join(import.meta.dirname, 'session.cf.js') }),
      runtime: cloudfront.FunctionRuntime.JS_2_0,
      comment: 'Makes the Authorization header of the cookie of whoever has signed in',
    });
  }

  /** What is stored says itself how long it may be kept (core/artifacts/artifacts.ts); what does not is not kept. */
  private videoCache(id: string, compress: boolean): cloudfront.CachePolicy {
    return new cloudfront.CachePolicy(this, `${id}Cache`, {
      comment: 'As long as Cache-Control says; the key is the path alone',
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.days(365),
      enableAcceptEncodingGzip: compress,
      enableAcceptEncodingBrotli: compress,
    });
  }

  /** Any page may embed a player: who may watch is said by the id or the token, never by a cookie. */
  private playbackHeaders(): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'PlaybackHeaders', {
      corsBehavior: {
        accessControlAllowOrigins: ['*'],
        accessControlAllowMethods: ['GET', 'HEAD', 'OPTIONS'],
        accessControlAllowHeaders: ['*'],
        accessControlExposeHeaders: ['*'],
        accessControlAllowCredentials: false,
        accessControlMaxAge: Duration.seconds(PREFLIGHT_SECONDS),
        originOverride: true,
      },
      securityHeadersBehavior: {
        contentTypeOptions: { override: true },
        strictTransportSecurity: HSTS,
      },
      customHeadersBehavior: {
        customHeaders: [
          { header: 'Cross-Origin-Resource-Policy', value: 'cross-origin', override: true },
          { header: 'Timing-Allow-Origin', value: '*', override: true }, // lets players measure their bandwidth
        ],
      },
    });
  }

  private pageHeaders(uploads: s3.Bucket): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'PageHeaders', {
      securityHeadersBehavior: {
        contentSecurityPolicy: {
          override: true,
          contentSecurityPolicy: contentSecurityPolicy([`https://${uploads.bucketRegionalDomainName}`]),
        },
        contentTypeOptions: { override: true },
        referrerPolicy: {
          referrerPolicy: cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
          override: true,
        },
        strictTransportSecurity: HSTS,
      },
    });
  }

  private videoPageHeaders(): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'VideoPageHeaders', {
      securityHeadersBehavior: { strictTransportSecurity: HSTS },
    });
  }

  private acknowledgeFindings(domain: CdnDomain | undefined): void {
    acknowledge(this.distribution, {
      'AwsSolutions-CFR1': 'Where videos may be watched is for their owner to say.',
      'AwsSolutions-CFR2':
        'What a stranger can make us do is bounded: ids cannot be guessed and a URL can only name what a plan lists. A web ACL can be associated by whoever wants one.',
      'AwsSolutions-CFR3':
        "Access logs hold viewers' addresses, which we have no use for; the API's are kept, and metrics count the rest.",
      ...(domain
        ? {}
        : {
            'AwsSolutions-CFR4':
              'The distribution has its *.cloudfront.net certificate, with which the protocol cannot be chosen; with a domain of its own it is TLS 1.2.',
          }),
    });
  }
}

const apiBehavior = ({ apiDomainName }: DeliveryProps): cloudfront.BehaviorOptions => ({
  origin: new origins.HttpOrigin(apiDomainName, {
    protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
    originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
    connectionAttempts: 1, // a POST that took too long is not to be sent again
    readTimeout: Duration.seconds(GATEWAY_TIMEOUT_SECONDS),
  }),
  viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY, // no key in a redirected request
  cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
  originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
  responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
});

const HSTS: cloudfront.ResponseHeadersStrictTransportSecurity = {
  accessControlMaxAge: Duration.days(365),
  includeSubdomains: false, // the domain may be somebody else's parent
  override: true,
};
