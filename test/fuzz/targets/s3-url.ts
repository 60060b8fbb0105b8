import { Failure } from '../../../src/failure/failure.ts';
import { parseS3Url } from '../../../src/cli/s3-url.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

/** The address of an object as somebody types it. */
export const target: Target = {
  covers: ['src/cli/s3-url.ts'],
  maxBytes: 1 << 16,
  form: 'text',
  words: ['s3://', 'S3://', '//', '/', '\n', '?versionId='],
  check: (input) => {
    const text = input.toString();
    const found = resultOf(() => parseS3Url(text));
    if (found instanceof Failure) {
      must(found.code === 'CONFIG_INVALID' && text.startsWith('s3://'), 'what is no address is refused as one');
    } else if (found === null) must(!text.startsWith('s3://'), 'an address is taken for a file');
    else must(addressOf(found) === text && !found.bucket.includes('/'), 'the address is another one');
  },
};

function addressOf({ bucket, key }: { readonly bucket: string; readonly key: string }): string {
  return `s3://${bucket}/${key}`;
}
