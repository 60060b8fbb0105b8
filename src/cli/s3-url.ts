import { Failure } from '../failure/failure.ts';

/** `s3://bucket/key`; null for anything else. The key is taken as it is, not decoded. */
export function parseS3Url(text: string): { readonly bucket: string; readonly key: string } | null {
  const match = /^s3:\/\/([^/]+)\/(.+)$/s.exec(text);
  if (match === null) {
    if (text.startsWith('s3://')) throw new Failure('CONFIG_INVALID', `${text} is not of the form s3://bucket/key`);
    return null;
  }
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
}
