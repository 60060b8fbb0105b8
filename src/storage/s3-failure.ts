import type { FailureCode } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';

const BY_NAME: Readonly<Record<string, FailureCode>> = {
  NoSuchKey: 'OBJECT_NOT_FOUND',
  NoSuchVersion: 'OBJECT_NOT_FOUND',
  NotFound: 'OBJECT_NOT_FOUND',
  NoSuchBucket: 'BUCKET_NOT_FOUND',
  PermanentRedirect: 'BUCKET_NOT_FOUND',
  InvalidBucketName: 'BUCKET_NOT_FOUND',
  // S3's words for a version id or a key that it cannot read.
  InvalidArgument: 'OBJECT_NOT_FOUND',
  KeyTooLongError: 'OBJECT_NOT_FOUND',
  AccessDenied: 'OBJECT_FORBIDDEN',
  Forbidden: 'OBJECT_FORBIDDEN',
  AllAccessDisabled: 'OBJECT_FORBIDDEN',
  InvalidObjectState: 'OBJECT_FORBIDDEN',
  PreconditionFailed: 'OBJECT_CHANGED',
  SlowDown: 'THROTTLED',
  Throttling: 'THROTTLED',
  ThrottlingException: 'THROTTLED',
  RequestLimitExceeded: 'THROTTLED',
  TooManyRequestsException: 'THROTTLED',
  ServiceUnavailable: 'SERVICE_UNAVAILABLE',
  InternalError: 'SERVICE_UNAVAILABLE',
  RequestTimeout: 'TIMEOUT',
  TimeoutError: 'TIMEOUT',
  ExpiredToken: 'CREDENTIALS',
  InvalidAccessKeyId: 'CREDENTIALS',
  SignatureDoesNotMatch: 'CREDENTIALS',
  InvalidToken: 'CREDENTIALS',
  CredentialsProviderError: 'CREDENTIALS',
};

const NETWORK_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** What an error of the S3 client means for the job; keeps the error as the cause and S3's own code in the details. */
export function classifyS3Error(error: unknown, ref: { readonly bucket: string; readonly key: string }): Failure {
  if (error instanceof Failure) return error;
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : 'unknown';
  const errno = textOf(error, 'code');
  const code = codeFor(name, errno, status);
  const reason = error instanceof Error && error.message !== '' ? error.message : name;
  return new Failure(code, `s3://${ref.bucket}/${ref.key}: ${reason.slice(0, 300)}`, {
    cause: error,
    details: { s3Code: errno ?? name, httpStatus: status },
  });
}

function codeFor(name: string, errno: string | null, status: number | null): FailureCode {
  // Own keys alone: the name comes from the wire.
  const known = [name, errno ?? ''].find((key) => Object.hasOwn(BY_NAME, key));
  if (known !== undefined) return BY_NAME[known] ?? 'UNKNOWN';
  if (errno === 'ETIMEDOUT') return 'TIMEOUT';
  if (errno !== null && NETWORK_CODES.has(errno)) return 'NETWORK';
  if (status === 404) return 'OBJECT_NOT_FOUND';
  if (status === 403) return 'OBJECT_FORBIDDEN';
  if (status === 412) return 'OBJECT_CHANGED';
  if (status === 429) return 'THROTTLED';
  if (status !== null && status >= 500) return 'SERVICE_UNAVAILABLE';
  return 'UNKNOWN';
}

function statusOf(error: unknown): number | null {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** Error codes also hide one level down, under the SDK's own wrapper. */
function textOf(error: unknown, key: 'code'): string | null {
  for (const level of [error, error instanceof Error ? error.cause : null]) {
    if (level instanceof Error && key in level) {
      const value = (level as Error & { code?: unknown }).code;
      if (typeof value === 'string') return value;
    }
  }
  return null;
}
