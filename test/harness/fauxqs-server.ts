import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { createSqsClients, type SqsClients } from '../../src/queue/sqs/sqs-client.ts';

export const TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface SqsServer extends AsyncDisposable {
  readonly server: FauxqsServer;
  readonly endpoint: string;
  readonly clients: SqsClients;
  /** Clients of their own for the same server, or for a proxy in front of it. */
  connect(endpoint?: string): SqsClients;
}

/** A real SQS server on a free port, with clients. */
export async function startSqsServer(): Promise<SqsServer> {
  const server = await startFauxqs({ port: 0, logger: false });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const all: SqsClients[] = [];
  const connect = (to: string = endpoint): SqsClients => {
    const clients = createSqsClients({ region: 'us-east-1', endpoint: to, credentials: TEST_CREDENTIALS });
    all.push(clients);
    return clients;
  };
  return {
    server,
    endpoint,
    clients: connect(),
    connect,
    async [Symbol.asyncDispose]() {
      for (const clients of all) clients[Symbol.dispose]();
      await server.stop();
    },
  };
}
