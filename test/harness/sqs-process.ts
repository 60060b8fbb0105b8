import type { S3Client } from '@aws-sdk/client-s3';
import { startChild } from '../../src/local/child-process.ts';
import type { FauxqsOptions, FauxqsReady } from '../../src/local/fauxqs-process.ts';
import { createSqsClients, type SqsClients } from '../../src/queue/sqs/sqs-client.ts';
import { localS3, TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from './local-aws.ts';
import { owned } from './ownership.ts';

export interface SqsProcess extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  readonly clients: SqsClients;
  readonly store: S3Client;
  /** The address of a queue, at the server itself or through a proxy on another port. */
  queueUrl(name: string, port?: number): string;
}

/** A real SQS and S3 server in a process of its own, where its work is not counted as the tester's, with clients. */
export async function startSqsProcess(
  options: Partial<Pick<FauxqsOptions, 'queues' | 'buckets'>> = {},
): Promise<SqsProcess> {
  const { queues = [], buckets = [] } = options;
  const asked: FauxqsOptions = { port: 0, region: TEST_REGION, dataDir: null, queues, buckets };
  const server = await startChild<FauxqsReady>('fauxqs-process', asked);
  const { port } = server.ready;
  const endpoint = `http://127.0.0.1:${port}`;
  const clients = createSqsClients({ region: TEST_REGION, endpoint, credentials: TEST_CREDENTIALS });
  const store = localS3({ endpoint });
  return {
    port,
    endpoint,
    clients,
    store,
    queueUrl: (name, at = port) => `http://127.0.0.1:${at}/${TEST_ACCOUNT}/${name}`,
    [Symbol.asyncDispose]: owned(`the SQS process ${server.pid} at ${endpoint}`, async () => {
      clients[Symbol.dispose]();
      store.destroy();
      await server.close();
    }),
  };
}
