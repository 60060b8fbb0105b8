import { describeStack, LOCAL_BUCKETS, localQueues, type LocalStack } from '../../src/local/stack.ts';
import { startSqsServer } from './fauxqs-server.ts';
import { TEST_REGION } from './local-aws.ts';
import { startPostgres } from './postgres.ts';

/** What the local stack has, at a third of its cost: queues and store in this process, and a real PostgreSQL. */
export async function startServices(): Promise<LocalStack> {
  await using opening = new AsyncDisposableStack();
  const { server } = opening.use(await startSqsServer());
  const { url } = opening.use(await startPostgres());
  for (const bucket of LOCAL_BUCKETS) server.createBucket(bucket);
  for (const { name, attributes } of localQueues(TEST_REGION)) server.createQueue(name, { attributes });
  const held = opening.move();
  return describeStack({ port: server.port, region: TEST_REGION }, url, () => held.disposeAsync());
}
