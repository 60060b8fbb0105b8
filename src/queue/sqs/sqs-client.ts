import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { withNamedCredentials } from '../../failure/sources/credentials.ts';

export interface SqsClientSettings {
  readonly region: string;
  /** Null: the region's own endpoint. */
  readonly endpoint: string | null;
  /** Undefined: the chain of the SDK (environment, files, instance role). */
  readonly credentials?: SQSClientConfig['credentials'];
}

/** Two connection pools: polls that stay open for 20 s must never use up the sockets that renewals need. */
export interface SqsClients extends Disposable {
  readonly poll: SQSClient;
  /** For leases and settling. */
  readonly control: SQSClient;
}

/**
 * Builds the clients. The SDK's own retries are off: each caller knows its deadline (a lease's, a drain's) and retries
 * by it, which a retry inside the SDK would overrun.
 */
export function createSqsClients(settings: SqsClientSettings): SqsClients {
  const create = (maxSockets: number): SQSClient =>
    withNamedCredentials(
      new SQSClient({
        region: settings.region,
        maxAttempts: 1,
        requestHandler: new NodeHttpHandler({
          connectionTimeout: 3_000,
          httpAgent: { keepAlive: true, maxSockets },
          httpsAgent: { keepAlive: true, maxSockets },
        }),
        ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
        ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
      }),
    );
  const poll = create(32);
  const control = create(32);
  return {
    poll,
    control,
    [Symbol.dispose]() {
      poll.destroy();
      control.destroy();
    },
  };
}
