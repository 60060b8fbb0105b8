import { readFile } from 'node:fs/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure/failure.ts';
import { classifyS3Error } from './s3-failure.ts';

export interface UploadTarget {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
}

const TIMEOUT_MS = 60_000;

/** Puts a small file (a highlight image) at a key; a second time overwrites, so a rerun leaves one object. */
export async function uploadFile(
  client: S3Client,
  target: UploadTarget,
  source: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const body = typeof source === 'string' ? await readFile(source) : source;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    await client.send(
      new PutObjectCommand({ Bucket: target.bucket, Key: target.key, Body: body, ContentType: target.contentType }),
      { abortSignal: AbortSignal.any([signal, timeout]) },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw classifyS3Error(error, target);
    throw new Failure('TIMEOUT', `s3://${target.bucket}/${target.key}: the upload took longer than ${TIMEOUT_MS} ms`, {
      cause: error,
    });
  }
}
