import type { FailureCode } from './codes.ts';
import { Failure, Interruption } from './failure.ts';
import { causesOf } from './causes.ts';
import { classifyOrtError } from './sources/onnxruntime.ts';
import { toDatabaseFailure } from './sources/postgres.ts';

/** Error names and codes of AWS services, of both SQS protocols (the older one has prefixes, which are cut first). */
const BY_SERVICE_ERROR: Readonly<Record<string, FailureCode>> = {
  NoSuchBucket: 'BUCKET_NOT_FOUND',
  NoSuchKey: 'OBJECT_NOT_FOUND',
  NoSuchVersion: 'OBJECT_NOT_FOUND',
  NotFound: 'OBJECT_NOT_FOUND',
  AccessDenied: 'OBJECT_FORBIDDEN',
  Forbidden: 'OBJECT_FORBIDDEN',
  PreconditionFailed: 'OBJECT_CHANGED',
  ServiceUnavailable: 'SERVICE_UNAVAILABLE',
  InternalError: 'SERVICE_UNAVAILABLE',
  InternalFailure: 'SERVICE_UNAVAILABLE',
  InternalServerError: 'SERVICE_UNAVAILABLE',
  SlowDown: 'THROTTLED',
  Throttling: 'THROTTLED',
  ThrottlingException: 'THROTTLED',
  ThrottledException: 'THROTTLED',
  RequestThrottled: 'THROTTLED',
  RequestThrottledException: 'THROTTLED',
  TooManyRequestsException: 'THROTTLED',
  ProvisionedThroughputExceededException: 'THROTTLED',
  RequestLimitExceeded: 'THROTTLED',
  OverLimit: 'THROTTLED',
  KmsThrottled: 'THROTTLED',
  RequestTimeout: 'TIMEOUT',
  RequestTimeoutException: 'TIMEOUT',
  TimeoutError: 'TIMEOUT',
  CredentialsProviderError: 'CREDENTIALS',
  ExpiredToken: 'CREDENTIALS',
  ExpiredTokenException: 'CREDENTIALS',
  TokenRefreshRequired: 'CREDENTIALS',
  InvalidAccessKeyId: 'CREDENTIALS',
  InvalidClientTokenId: 'CREDENTIALS',
  UnrecognizedClientException: 'CREDENTIALS',
  SignatureDoesNotMatch: 'CREDENTIALS',
  AccessDeniedException: 'CREDENTIALS',
  AuthFailure: 'CREDENTIALS',
};

/** Codes of Node and of its operating system. */
const BY_NODE_CODE: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: 'NETWORK',
  ECONNRESET: 'NETWORK',
  ECONNABORTED: 'NETWORK',
  EPIPE: 'NETWORK',
  EHOSTUNREACH: 'NETWORK',
  ENETUNREACH: 'NETWORK',
  ENETDOWN: 'NETWORK',
  ENOTFOUND: 'NETWORK',
  EAI_AGAIN: 'NETWORK',
  ERR_STREAM_PREMATURE_CLOSE: 'NETWORK',
  UND_ERR_SOCKET: 'NETWORK',
  ETIMEDOUT: 'TIMEOUT',
  ESOCKETTIMEDOUT: 'TIMEOUT',
  UND_ERR_CONNECT_TIMEOUT: 'TIMEOUT',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  ENOMEM: 'HOST_OUT_OF_MEMORY',
  ERR_WORKER_OUT_OF_MEMORY: 'HOST_OUT_OF_MEMORY',
  ERR_MEMORY_ALLOCATION_FAILED: 'HOST_OUT_OF_MEMORY',
};

const DATABASE_CODE = /^(P\d{4}|(?!E[A-Z]{4}$)[0-9A-Z]{5})$/;
const ORT_TEXT = /onnx ?runtime|OrtRun|Non-zero status code|CUDA failure|cudaError|CUDNN_STATUS|CUBLAS_STATUS/i;

/**
 * The single place where anything that was thrown becomes one of the closed family. The first error of the cause chain
 * that a rule knows decides; what no rule knows is UNKNOWN, which is temporary. A `Failure` passes unchanged.
 */
export function toFailure(error: unknown): Failure {
  for (const link of causesOf(error)) {
    if (link instanceof Failure) return link;
    const failure = classifyLink(link, error);
    if (failure !== null) return failure;
  }
  return new Failure('UNKNOWN', `an error that no rule knows: ${describe(error)}`, { cause: error });
}

function classifyLink(link: object, original: unknown): Failure | null {
  if (link instanceof Interruption && link.kind === 'deadline') {
    return new Failure('JOB_DEADLINE', link.message, { cause: original });
  }
  const name = text(link, 'name');
  const code = text(link, 'code');
  if (name.startsWith('Prisma') || DATABASE_CODE.test(code)) {
    const failure = toDatabaseFailure(link, 'run a statement');
    if (failure.code !== 'UNKNOWN') return failure;
  }
  const known =
    lookUp(BY_NODE_CODE, code) ?? byService(name) ?? byService(code) ?? byService(text(link, 'Code')) ?? byStatus(link);
  if (known !== null) {
    return new Failure(known, describe(link), { cause: original, details: { external: code === '' ? name : code } });
  }
  if (ORT_TEXT.test(text(link, 'message'))) {
    const device = /cuda|cudnn|cublas/i.test(text(link, 'message')) ? 'cuda' : 'cpu';
    return classifyOrtError(link, { device, doing: 'inference' });
  }
  return null;
}

function byService(raw: string): FailureCode | null {
  return lookUp(BY_SERVICE_ERROR, raw.replace(/^(AWS\.SimpleQueueService\.|com\.amazonaws\.sqs#)/, ''));
}

/** Only for answers of a service: a status without a known name still tells whose fault it was. */
function byStatus(link: object): FailureCode | null {
  const { $metadata: metadata, $retryable: retryable } = link as {
    $metadata?: { httpStatusCode?: unknown };
    $retryable?: { throttling?: unknown };
  };
  if (retryable?.throttling === true) return 'THROTTLED';
  const status = metadata?.httpStatusCode;
  if (typeof status !== 'number') return retryable === undefined ? null : 'SERVICE_UNAVAILABLE';
  if (status === 429) return 'THROTTLED';
  if (status === 408) return 'TIMEOUT';
  if (status >= 500) return 'SERVICE_UNAVAILABLE';
  if (status === 401) return 'CREDENTIALS';
  return null;
}

function lookUp(table: Readonly<Record<string, FailureCode>>, key: string): FailureCode | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}

function text(value: object, field: string): string {
  const found = (value as Readonly<Record<string, unknown>>)[field];
  return typeof found === 'string' ? found : '';
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message.slice(0, 500);
  return 'something that is not an error was thrown';
}
