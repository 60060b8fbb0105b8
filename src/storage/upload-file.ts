import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure/failure.ts';
import { nameOf } from './object-ref.ts';
import { inBucketRegion } from './bucket-region.ts';
import { classifyS3Error } from './s3-failure.ts';
import { PROGRAM, WRITTEN_BY } from './written-by.ts';

export interface UploadTarget {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
}

const TIMEOUT_MS = 60_000;

/**
 * Puts a small file (a highlight image) at a key; a second time overwrites, so a rerun leaves one object. What is wrong with its bucket
 * is OUTPUT_REFUSED.
 */
export async function uploadFile(
  client: S3Client,
  target: UploadTarget,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const put = {
      Bucket: target.bucket,
      Key: target.key,
      Body: content,
      ContentType: target.contentType,
      Metadata: { [WRITTEN_BY]: PROGRAM },
    };
    const abortSignal = AbortSignal.any([signal, timeout]);
    await inBucketRegion(client, (regional) => regional.send(new PutObjectCommand(put), { abortSignal }));
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw outputFailure(classifyS3Error(error, target));
    throw new Failure('TIMEOUT', `${nameOf(target)}: the upload took longer than ${TIMEOUT_MS} ms`, {
      cause: error,
    });
  }
}

/** What is permanent for an object that is read is a refusal of ours here: it says nothing of the video. */
function outputFailure(failure: Failure): Failure {
  if (failure.class !== 'permanent' && failure.code !== 'STORE_MISCONFIGURED') return failure;
  const { message, cause, details } = failure;
  return new Failure('OUTPUT_REFUSED', message, { cause, details });
}
