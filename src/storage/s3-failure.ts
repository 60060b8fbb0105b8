import { causesOf } from '../failure/causes.ts';
import { FAILURE_CODES, type FailureCode } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';
import { textField } from '../failure/fields.ts';
import { outsideText } from '../text/outside-text.ts';
import { headerOf, isDeleteMarker, meaningOfAwsError } from '../failure/sources/aws.ts';
import { nameOf } from './object-ref.ts';

/** What an error of the S3 client means for the job; keeps the error as the cause and S3's own code in the details. */
export function classifyS3Error(
  error: unknown,
  ref: { readonly bucket: string; readonly key: string; readonly versionId?: string | null },
): Failure {
  if (error instanceof Failure) return error;
  const meaning = meaningOfAwsError(error, 's3') ?? 'UNKNOWN';
  const code = isVerdictOfS3(meaning, error, ref) ? meaning : 'STORE_MISCONFIGURED';
  const region = regionIn(error);
  return new Failure(code, `${nameOf(ref)}: ${wordsOf(error)}${adviceOn(code, error, region)}`, {
    cause: error,
    details: {
      s3Code: codeOf(error) ?? errorNameOf(error),
      httpStatus: statusOf(error),
      ...(region === null ? {} : { bucketRegion: region }),
    },
  });
}

/**
 * Whether a verdict about an object is S3's own. A proxy, an ingress or a portal before a store answers 403 and 404 as well, in other words
 * than S3's, and to every good object alike; a request that names no version cannot be wrong in one.
 */
function isVerdictOfS3(
  code: FailureCode,
  error: unknown,
  { versionId = null }: { readonly versionId?: string | null },
): boolean {
  if (FAILURE_CODES[code].class !== 'permanent') return true;
  if (isWithoutWords(error)) return causesOf(error).some(isDeleteMarker);
  return versionId !== null || codeOf(error) !== 'InvalidArgument' || code !== 'OBJECT_NOT_FOUND';
}

/** Whether an answer has a status and not a word of S3. That to HEAD never has one. */
function isWithoutWords(error: unknown): boolean {
  return statusOf(error) !== null && codeOf(error) === undefined && NAMELESS.test(errorNameOf(error));
}

/** The status of the answer that an error stands for; null where there was none. */
export function statusOf(error: unknown): number | null {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** Names that the client makes up for an answer without a body. */
const NAMELESS = /^(Unknown|UnknownError|NotFound|Error)$/;

function wordsOf(error: unknown): string {
  const name = errorNameOf(error);
  const message = error instanceof Error ? error.message : '';
  const status = statusOf(error);
  if (status !== null && NAMELESS.test(name)) return `S3 answered with HTTP ${status} and no reason`;
  if (message === '' || message === name) return name;
  return outsideText(status === null ? message : `${name}: ${message}`, 400);
}

/** What the code does not say: an object that was deleted, a bucket that is elsewhere. */
function adviceOn(code: FailureCode, error: unknown, region: string | null): string {
  if (causesOf(error).some(isDeleteMarker)) return ' (it was deleted: its newest version is a delete marker)';
  if (code !== 'STORE_MISCONFIGURED') return '';
  if (region !== null) return ` (the bucket is in ${region}: check AWS_REGION and AWS_ENDPOINT_URL)`;
  return ' (check AWS_REGION, AWS_ENDPOINT_URL and S3_FORCE_PATH_STYLE)';
}

function regionIn(error: unknown): string | null {
  for (const link of causesOf(error)) {
    const region = headerOf(link, 'x-amz-bucket-region') ?? textField(link, 'Region');
    if (region !== null) return region;
  }
  return null;
}

function errorNameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** Codes also hide under the SDK's own wrapper. */
function codeOf(error: unknown): string | undefined {
  return causesOf(error).flatMap((link) => textField(link, 'code') ?? textField(link, 'Code') ?? [])[0];
}
