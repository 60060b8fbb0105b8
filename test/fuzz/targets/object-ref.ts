import { Failure } from '../../../src/failure/failure.ts';
import { checkReference, nameOf } from '../../../src/storage/object-ref.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

/** Bucket, key, version and ETag of an object, a line for each, as a message names it. */
export const target: Target = {
  covers: ['storage/object-ref.ts'],
  maxBytes: 1 << 16,
  form: 'text',
  words: ['arn:aws:s3:us-east-1:123456789012:accesspoint/x', '..', '../', '\0', '\r', 'null', 'a.b-c_d', '\u{1F3AC}'],
  check: (input) => {
    const [bucket = '', key = '', versionId = null, etag = null] = input.toString().split('\n', 4);
    const ref = { bucket, key: key.replaceAll('\uFFFD', '\uD83C'), versionId, etag };
    const name = nameOf(ref);
    must(name.length <= 700 && name.startsWith('s3://'), `an object is named with ${name.length} characters`);
    const refusal = resultOf(() => checkReference(ref));
    if (refusal instanceof Failure) {
      must(refusal.class === 'permanent', `an object is refused as ${refusal.class}`);
      must(refusal.message.length <= 1_000, 'a refusal repeats all that it refuses');
      return;
    }
    must(ref.key.isWellFormed() && !ref.key.includes('\0'), 'a key that no database keeps');
    must(/^[\w.-]+$/.test(bucket) && !bucket.startsWith('.'), 'a bucket that is read as an address');
    must(
      ![versionId, etag].some((text) => text !== null && /[\p{Cc}\u0080-\u{10FFFF}]/u.test(text)),
      'a header of two lines',
    );
  },
};
