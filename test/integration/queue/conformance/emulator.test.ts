import { startFauxqs } from 'fauxqs';
import { sqsBackend } from './sqs-backend.ts';
import { describeQueue } from './suite.ts';

describeQueue('the SQS adapter on the embedded emulator', async () => {
  const server = await startFauxqs({ port: 0, logger: false });
  return sqsBackend(`http://127.0.0.1:${server.port}`, () => server.stop());
});
