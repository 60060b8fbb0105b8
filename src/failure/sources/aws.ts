import { causesOf } from '../causes.ts';
import type { FailureCode } from '../codes.ts';
import { textField } from '../fields.ts';
import { OF_ANY, OF_BEDROCK, OF_OBJECTS, type NameTable } from './aws-names.ts';
import { signOfNodeError } from './node.ts';
import { OF_S3 } from './s3-names.ts';

/** A service that uses some names in a sense of its own. */
export type AwsService = 's3' | 'bedrock';

const TABLES: Readonly<Record<AwsService | 'unknown', readonly NameTable[]>> = {
  s3: [OF_S3, OF_OBJECTS, OF_ANY],
  bedrock: [OF_BEDROCK, OF_ANY],
  unknown: [OF_OBJECTS, OF_ANY],
};

const STATUS: ReadonlyMap<number, FailureCode> = new Map([
  [401, 'CREDENTIALS'],
  [408, 'TIMEOUT'],
  [429, 'THROTTLED'],
]);

/** An answer to HEAD has no body, and so no name; neither has that of a proxy in front of a store. */
const STATUS_OF_S3: ReadonlyMap<number, FailureCode> = new Map([
  [301, 'STORE_MISCONFIGURED'],
  [302, 'SERVICE_UNAVAILABLE'],
  [303, 'SERVICE_UNAVAILABLE'],
  [307, 'SERVICE_UNAVAILABLE'],
  [308, 'STORE_MISCONFIGURED'],
  [403, 'OBJECT_FORBIDDEN'],
  [404, 'OBJECT_NOT_FOUND'],
  [405, 'STORE_MISCONFIGURED'],
  [409, 'SERVICE_UNAVAILABLE'],
  [410, 'OBJECT_NOT_FOUND'],
  [412, 'OBJECT_CHANGED'],
  [416, 'OBJECT_CHANGED'],
]);

/** Said in a signature's refusal when the clocks of both sides differ by more than a few minutes. */
const OF_CLOCK = /signature (not yet current|expired)|request (time|has expired)/i;
const OF_KMS = /\bperform: ?kms:|\bAWS[ -]KMS\b|\bKMS (key|master key)\b|ciphertext refers to a customer/i;
const OF_SSE_C = /form of server[ -]side encryption|encryption with customer[ -]provided keys|\bSSE-C\b/i;

/** What an error of the client of a service means, of it or of a cause: by name, by what Node says of the connection, by status. */
export function meaningOfAwsError(error: unknown, service: AwsService): FailureCode | null {
  for (const link of causesOf(error)) {
    const meaning =
      byWords(link, service) ?? byName(link, service) ?? signOfNodeError(link)?.code ?? byStatus(link, service);
    if (meaning !== null) return meaning;
  }
  return null;
}

/** What an error would mean if a service had sent it; null when it has neither a known name nor a status. */
export function meaningOfAnswer(error: object): FailureCode | null {
  return byWords(error, 'unknown') ?? byName(error, 'unknown') ?? byStatus(error, 'unknown');
}

/** Where the name alone does not tell: one for a refused object and a refused key, one for a wrong secret and a wrong clock. */
function byWords(error: object, service: keyof typeof TABLES): FailureCode | null {
  const names = namesOf(error);
  const isOneOf = (...of: readonly string[]): boolean => of.some((name) => names.includes(name));
  // Names of users, objects and keys stand in quotes or ARNs: what somebody called them decides nothing.
  const words = (textField(error, 'message') ?? '').replaceAll(/"[^"]*"|\barn:\S+/g, '');
  const isSignature = isOneOf('InvalidSignatureException', 'SignatureDoesNotMatch', 'AuthFailure');
  if (isSignature && OF_CLOCK.test(words)) return 'CLOCK_SKEWED';
  if (service === 'bedrock') return null;
  if (isOneOf('AccessDenied', 'InvalidArgument', 'InvalidRequest') && OF_KMS.test(words)) return 'KMS_REFUSED';
  if (service !== 's3') return null;
  if (isOneOf('InvalidArgument', 'InvalidRequest', 'AccessDenied') && OF_SSE_C.test(words)) return 'OBJECT_ENCRYPTED';
  return isDeleteMarker(error) ? 'OBJECT_NOT_FOUND' : null;
}

/** Whether S3 said that what was asked for is the mark of a deletion. */
export function isDeleteMarker(error: object): boolean {
  return headerOf(error, 'x-amz-delete-marker') === 'true';
}

/** A header of the answer that became this error; null where there is none. */
export function headerOf(error: object, name: string): string | null {
  const { $response: response } = error as { $response?: { headers?: Readonly<Record<string, unknown>> } };
  const value = response?.headers?.[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function byName(error: object, service: keyof typeof TABLES): FailureCode | null {
  for (const name of namesOf(error)) {
    for (const table of TABLES[service]) {
      const meaning = table.get(name);
      if (meaning !== undefined) return meaning;
    }
  }
  return null;
}

function namesOf(error: object): readonly string[] {
  return ['name', 'code', 'Code'].flatMap(
    (field) => textField(error, field)?.replace(/^(AWS\.SimpleQueueService\.|com\.amazonaws\.sqs#)/, '') ?? [],
  );
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
