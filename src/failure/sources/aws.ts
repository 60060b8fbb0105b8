import { causesOf } from '../causes.ts';
import type { FailureCode } from '../codes.ts';
import { textField } from '../fields.ts';
import { signOfNodeError } from './node.ts';

/** A service that uses some names in a sense of its own. */
export type AwsService = 's3' | 'bedrock';

/** What any service may answer, in the words of both SQS protocols too (the older one has prefixes, which are cut first). */
const OF_ANY: ReadonlyMap<string, FailureCode> = new Map([
  ['ServiceUnavailable', 'SERVICE_UNAVAILABLE'],
  ['ServiceUnavailableException', 'SERVICE_UNAVAILABLE'],
  ['InternalError', 'SERVICE_UNAVAILABLE'],
  ['InternalFailure', 'SERVICE_UNAVAILABLE'],
  ['InternalServerError', 'SERVICE_UNAVAILABLE'],
  ['InternalServerException', 'SERVICE_UNAVAILABLE'],
  ['SlowDown', 'THROTTLED'],
  ['Throttling', 'THROTTLED'],
  ['ThrottlingException', 'THROTTLED'],
  ['ThrottledException', 'THROTTLED'],
  ['RequestThrottled', 'THROTTLED'],
  ['RequestThrottledException', 'THROTTLED'],
  ['TooManyRequestsException', 'THROTTLED'],
  ['ProvisionedThroughputExceededException', 'THROTTLED'],
  ['RequestLimitExceeded', 'THROTTLED'],
  ['OverLimit', 'THROTTLED'],
  ['KmsThrottled', 'THROTTLED'],
  ['RequestTimeout', 'TIMEOUT'],
  ['RequestTimeoutException', 'TIMEOUT'],
  ['TimeoutError', 'TIMEOUT'],
  ['CredentialsProviderError', 'CREDENTIALS'],
  ['ExpiredToken', 'CREDENTIALS'],
  ['ExpiredTokenException', 'CREDENTIALS'],
  ['TokenRefreshRequired', 'CREDENTIALS'],
  ['InvalidAccessKeyId', 'CREDENTIALS'],
  ['InvalidClientTokenId', 'CREDENTIALS'],
  ['UnrecognizedClientException', 'CREDENTIALS'],
  ['SignatureDoesNotMatch', 'CREDENTIALS'],
  ['InvalidSignatureException', 'CREDENTIALS'],
  ['AccessDeniedException', 'CREDENTIALS'],
  ['AuthFailure', 'CREDENTIALS'],
]);

/** What is said of objects; only S3 has any, so that an error of no known service is read by these too. */
const OF_OBJECTS: ReadonlyMap<string, FailureCode> = new Map([
  ['NoSuchBucket', 'BUCKET_NOT_FOUND'],
  ['NoSuchKey', 'OBJECT_NOT_FOUND'],
  ['NoSuchVersion', 'OBJECT_NOT_FOUND'],
  ['NotFound', 'OBJECT_NOT_FOUND'],
  ['AccessDenied', 'OBJECT_FORBIDDEN'],
  ['Forbidden', 'OBJECT_FORBIDDEN'],
  ['PreconditionFailed', 'OBJECT_CHANGED'],
]);

/** What has this meaning from S3 alone. */
const OF_S3: ReadonlyMap<string, FailureCode> = new Map([
  ['PermanentRedirect', 'BUCKET_NOT_FOUND'],
  ['InvalidBucketName', 'BUCKET_NOT_FOUND'],
  // S3's words for a version id or a key that it cannot read.
  ['InvalidArgument', 'OBJECT_NOT_FOUND'],
  ['KeyTooLongError', 'OBJECT_NOT_FOUND'],
  ['AllAccessDisabled', 'OBJECT_FORBIDDEN'],
  ['InvalidObjectState', 'OBJECT_FORBIDDEN'],
  ['InvalidToken', 'CREDENTIALS'],
]);

const OF_BEDROCK: ReadonlyMap<string, FailureCode> = new Map([
  ['ServiceQuotaExceededException', 'THROTTLED'],
  ['ModelNotReadyException', 'SERVICE_UNAVAILABLE'],
  ['ModelTimeoutException', 'SERVICE_UNAVAILABLE'],
]);

const TABLES: Readonly<Record<AwsService | 'unknown', readonly ReadonlyMap<string, FailureCode>[]>> = {
  s3: [OF_S3, OF_OBJECTS, OF_ANY],
  bedrock: [OF_BEDROCK, OF_ANY],
  unknown: [OF_OBJECTS, OF_ANY],
};

const STATUS: ReadonlyMap<number, FailureCode> = new Map([
  [401, 'CREDENTIALS'],
  [408, 'TIMEOUT'],
  [429, 'THROTTLED'],
]);

/** An answer to HEAD has no body, and so no name. */
const STATUS_OF_S3: ReadonlyMap<number, FailureCode> = new Map([
  [403, 'OBJECT_FORBIDDEN'],
  [404, 'OBJECT_NOT_FOUND'],
  [412, 'OBJECT_CHANGED'],
]);

/** What an error of the client of a service means, of it or of a cause: by name, by what Node says of the connection, by status. */
export function meaningOfAwsError(error: unknown, service: AwsService): FailureCode | null {
  for (const link of causesOf(error)) {
    const meaning = byName(link, service) ?? signOfNodeError(link)?.code ?? byStatus(link, service);
    if (meaning !== null) return meaning;
  }
  return null;
}

/** What an error would mean if a service had sent it; null when it has neither a known name nor a status. */
export function meaningOfAnswer(error: object): FailureCode | null {
  return byName(error, 'unknown') ?? byStatus(error, 'unknown');
}

function byName(error: object, service: keyof typeof TABLES): FailureCode | null {
  for (const field of ['name', 'code', 'Code']) {
    const name = textField(error, field)?.replace(/^(AWS\.SimpleQueueService\.|com\.amazonaws\.sqs#)/, '') ?? '';
    for (const table of TABLES[service]) {
      const meaning = table.get(name);
      if (meaning !== undefined) return meaning;
    }
  }
  return null;
}

/** A status without a known name still tells whose fault it was. */
function byStatus(error: object, service: keyof typeof TABLES): FailureCode | null {
  const { $metadata: metadata, $retryable: retryable } = error as {
    $metadata?: { httpStatusCode?: unknown };
    $retryable?: { throttling?: unknown };
  };
  if (retryable?.throttling === true) return 'THROTTLED';
  const status = metadata?.httpStatusCode;
  if (typeof status !== 'number') return retryable === undefined ? null : 'SERVICE_UNAVAILABLE';
  if (status >= 500) return 'SERVICE_UNAVAILABLE';
  return STATUS.get(status) ?? (service === 's3' ? STATUS_OF_S3.get(status) : undefined) ?? null;
}
