import { open } from 'node:fs/promises';

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { UploadTarget } from './upload-file.ts';

const MIB = 1024 ** 2;
/** Local emulators refuse request bodies over 11 MiB; S3 refuses parts under 5. */
const PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000;
const PART_TIMEOUT_MS = 300_000;

/** Uploads a file in parts of 8 MiB (more for files over 78 GiB), one in memory at a time. Answers with its size in bytes. */
export async function uploadVideo(
  s3: S3Client,
  target: UploadTarget,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const where = { Bucket: target.bucket, Key: target.key };
  if (size <= PART_BYTES) {
    const body = await handle.readFile();
    await s3.send(new PutObjectCommand({ ...where, ContentType: target.contentType, Body: body }), limits(signal));
    return size;
  }
  const created = await s3.send(
    new CreateMultipartUploadCommand({ ...where, ContentType: target.contentType }),
    limits(signal),
  );
  const upload = { ...where, UploadId: created.UploadId };
  try {
    const partBytes = Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS));
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let offset = 0; offset < size; offset += partBytes) {
      const body = Buffer.alloc(Math.min(partBytes, size - offset));
      const { bytesRead } = await handle.read(body, 0, body.length, offset);
      if (bytesRead < body.length) throw new Error(`${file} became shorter while it was uploaded`);
      const PartNumber = parts.length + 1;
      const part = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body: body }), limits(signal));
      parts.push({ PartNumber, ETag: part.ETag });
    }
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }), limits(signal));
  } catch (error) {
    // Parts of an upload that is neither completed nor aborted are paid for until somebody removes them. Not under the
    // caller's signal: it may be the reason why we are here.
    await s3.send(new AbortMultipartUploadCommand(upload), limits(AbortSignal.timeout(10_000))).catch(() => undefined);
    throw error;
  }
  return size;
}

function limits(signal: AbortSignal): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(PART_TIMEOUT_MS)]) };
}
