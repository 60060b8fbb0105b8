import { causesOf } from '../failure/causes.ts';
import { Failure } from '../failure/failure.ts';
import { textField } from '../failure/fields.ts';
import { meaningOfAwsError } from '../failure/sources/aws.ts';

/** What an error of the S3 client means for the job; keeps the error as the cause and S3's own code in the details. */
export function classifyS3Error(error: unknown, ref: { readonly bucket: string; readonly key: string }): Failure {
  if (error instanceof Failure) return error;
  const code = meaningOfAwsError(error, 's3') ?? 'UNKNOWN';
  const name = error instanceof Error ? error.name : 'unknown';
  const reason = error instanceof Error && error.message !== '' ? error.message : name;
  return new Failure(code, `s3://${ref.bucket}/${ref.key}: ${reason.slice(0, 300)}`, {
    cause: error,
    details: { s3Code: codeOf(error) ?? name, httpStatus: statusOf(error) },
  });
}

function statusOf(error: unknown): number | null {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : null;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** Codes also hide under the SDK's own wrapper. */
function codeOf(error: unknown): string | undefined {
  return causesOf(error).flatMap((link) => textField(link, 'code') ?? [])[0];
}
