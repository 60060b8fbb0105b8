import type { S3Client } from '@aws-sdk/client-s3';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { createSqsClients, type SqsClients } from '../../src/queue/sqs/sqs-client.ts';
import { localS3, TEST_CREDENTIALS, TEST_REGION } from './local-aws.ts';
import { owned } from './ownership.ts';

export interface SqsServer extends AsyncDisposable {
  readonly server: FauxqsServer;
  readonly endpoint: string;
  readonly clients: SqsClients;
  /** Clients of their own for the same server, or for a proxy in front of it; closed with the server. */
  connect(endpoint?: string): SqsClients;
  /** A client of the store that the server is as well, or of a proxy in front of it; closed with the server. */
  store(endpoint?: string): S3Client;
}

/** A real SQS and S3 server on a free port, in this process, with clients. */
export async function startSqsServer(): Promise<SqsServer> {
  const server = await startFauxqs({ port: 0, logger: false });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const held = new DisposableStack();
  const connect = (to: string = endpoint): SqsClients =>
    held.use(createSqsClients({ region: TEST_REGION, endpoint: to, credentials: TEST_CREDENTIALS }));
  return {
    server,
    endpoint,
    clients: connect(),
    connect,
    store: (to = endpoint) => held.adopt(localS3({ endpoint: to }), (client) => client.destroy()),
    [Symbol.asyncDispose]: owned(`the SQS server at ${endpoint}`, async () => {
      held.dispose();
      await server.stop();
    }),
  };
}
