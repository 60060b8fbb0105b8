import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';

/** What servers on this machine take for somebody's credentials. */
export const TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
export const TEST_REGION = 'us-east-1';
/** In the queue URLs of servers on this machine. */
export const TEST_ACCOUNT = '000000000000';

export interface LocalAddress {
  readonly endpoint: string;
  readonly region?: string;
  readonly maxAttempts?: number;
}

/** A client of a store on this machine. */
export function localS3({ endpoint, region = TEST_REGION, maxAttempts }: LocalAddress): S3Client {
  return new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    credentials: TEST_CREDENTIALS,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
}

/** A client of a queue server on this machine. */
export function localSqs({ endpoint, region = TEST_REGION, maxAttempts }: LocalAddress): SQSClient {
  return new SQSClient({
    region,
    endpoint,
    credentials: TEST_CREDENTIALS,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
}
