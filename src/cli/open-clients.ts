import { SQSClient } from '@aws-sdk/client-sqs';
import type { Config } from '../config/config.ts';
import { withNamedCredentials } from '../failure/sources/credentials.ts';
import { createS3Client, type S3Client } from '../storage/s3-client.ts';

/** Stores and queues, on the endpoint that the configuration names. */
export interface Clients extends Disposable {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
}

/** Connects to nothing yet: the first call does. */
export function openClients(config: Config): Clients {
  const { region, endpointUrl, s3ForcePathStyle } = config.aws;
  const s3 = createS3Client({ region, endpoint: endpointUrl, forcePathStyle: s3ForcePathStyle });
  const sqs = withNamedCredentials(
    new SQSClient({ region, ...(endpointUrl === null ? {} : { endpoint: endpointUrl }) }),
  );
  return {
    s3,
    sqs,
    [Symbol.dispose]() {
      sqs.destroy();
      s3.destroy();
    },
  };
}
