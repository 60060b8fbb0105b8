import { outsideText } from '../text/outside-text.ts';
import { Failure } from '../failure/failure.ts';

/** One object of S3, in one version where the message says which. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly etag: string | null;
}

/** How a failure names an object. A long key is cut here: it would leave no room for the reason, and stands whole in the rows and the log. */
export function nameOf({ bucket, key }: Pick<ObjectRef, 'bucket' | 'key'>): string {
  return `s3://${outsideText(bucket, 255)}/${outsideText(key)}`;
}

/** Wider than today's rules: the oldest buckets have upper case, underscores and up to 255 characters. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
const VERSION = /^[\x21-\x7e]{1,1024}$/;
const ETAG = /^[\x20-\x7e]{0,256}$/;

/**
 * Throws a permanent failure for what no object can be called: the S3 client would refuse it with an error that looks like one
 * that may pass, or read an address out of it (an ARN, a path).
 */
export function checkReference(ref: ObjectRef): void {
  const { bucket, key, versionId, etag } = ref;
  if (!BUCKET.test(bucket)) {
    throw new Failure('BUCKET_NOT_FOUND', `no bucket can be called ${JSON.stringify(outsideText(bucket, 100))}`);
  }
  if (!key.isWellFormed()) {
    throw new Failure('MESSAGE_KEY_UNDECODABLE', 'the object key has half of a surrogate pair: it is no Unicode text');
  }
  // S3 may hold such an object; PostgreSQL cannot hold its name.
  if (key.includes('\0')) throw new Failure('MESSAGE_KEY_UNDECODABLE', 'the object key has a NUL character');
  if (versionId !== null && !VERSION.test(versionId)) {
    throw new Failure('OBJECT_NOT_FOUND', `${nameOf(ref)}: no version can be called so`);
  }
  if (etag !== null && !ETAG.test(etag)) {
    throw new Failure('OBJECT_CHANGED', `${nameOf(ref)}: no object can have such an ETag`);
  }
}
