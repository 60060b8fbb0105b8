import { S3Client } from '@aws-sdk/client-s3';
import { causesOf } from '../failure/causes.ts';
import { textField } from '../failure/fields.ts';
import { headerOf } from '../failure/sources/aws.ts';
import { statusOf } from './s3-failure.ts';

/** With what S3 says that a bucket is elsewhere; 400 where the signature was for another region. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308, 400]);
const REGION = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Makes a call, and once more in the bucket's own region where the answer says that it is another one. An endpoint that is
 * configured stays the same: then the region is only what is signed for.
 */
export async function inBucketRegion<T>(client: S3Client, call: (client: S3Client) => Promise<T>): Promise<T> {
  try {
    return await call(client);
  } catch (error) {
    const region = await otherRegionIn(client, error);
    if (region === null) throw error;
    return await call(clientIn(client, region));
  }
}

/** The region that an answer names for a bucket, where it is not the one that was asked; else null. */
export async function otherRegionIn(client: S3Client, error: unknown): Promise<string | null> {
  const status = statusOf(error);
  if (status === null || !REDIRECTS.has(status)) return null;
  const region = bucketRegionIn(error);
  return region === null || region === (await client.config.region()) ? null : region;
}

/** The region of the bucket by a header of the answer or by S3's own words; null where it does not say. */
export function bucketRegionIn(error: unknown): string | null {
  for (const link of causesOf(error)) {
    const said = [
      headerOf(link, 'x-amz-bucket-region'),
      textField(link, 'Region'),
      /expecting '([^']+)'/.exec(textField(link, 'message') ?? '')?.[1],
      /\bs3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com/.exec(textField(link, 'Endpoint') ?? '')?.[1],
    ];
    const region = said.find((text) => text !== null && text !== undefined && REGION.test(text));
    if (region !== undefined && region !== null) return region;
  }
  return null;
}

/** A client for another region on the connections and with the credentials of this one, and closed with it: it has nothing of its own. */
export function clientIn(client: S3Client, region: string): S3Client {
  const { credentials, requestHandler, endpoint, forcePathStyle, maxAttempts } = client.config;
  const isCustom = client.config.isCustomEndpoint === true && endpoint !== undefined;
  return new S3Client({
    region,
    credentials,
    requestHandler,
    maxAttempts,
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    ...(isCustom ? { endpoint } : {}),
  });
}
