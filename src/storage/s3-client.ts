import { S3Client } from '@aws-sdk/client-s3';
import { withNamedCredentials } from '../failure/sources/credentials.ts';

/** What other rooms hold to hand it to this one: only here are its calls known. */
export type { S3Client };

export interface S3ClientSettings {
  readonly region: string;
  /** Null: the region's own endpoint. */
  readonly endpoint: string | null;
  /** The bucket in the path instead of the host's name, as emulators want it. */
  readonly forcePathStyle: boolean;
}

/** Connects to nothing yet: the first call does. The caller destroys it. */
export function createS3Client({ region, endpoint, forcePathStyle }: S3ClientSettings): S3Client {
  return withNamedCredentials(new S3Client({ region, forcePathStyle, ...(endpoint === null ? {} : { endpoint }) }));
}
