import { test } from '@jest/globals';
import { findMotoServer, startMotoServer } from '../../../harness/moto-server.ts';
import { sqsBackend } from './sqs-backend.ts';
import { describeQueue, OLD_HANDLE, type QueueBackend } from './suite.ts';

const file = await findMotoServer(process.env['PATH'] ?? '');

if (file === null) {
  test.skip("the SQS adapter on moto's server (moto_server is not in PATH; pip install 'moto[server]')", () => {});
} else {
  const start = async (): Promise<QueueBackend> => {
    const server = await startMotoServer(file);
    return sqsBackend(server.endpoint, async () => await server[Symbol.asyncDispose]());
  };
  // It deletes by every handle that it ever gave; the worker never tries one whose lease is over.
  describeQueue("the SQS adapter on moto's server", start, [OLD_HANDLE]);
}
