import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { startLocalStack } from '../../src/local/stack.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { median } from './figures.ts';

const root = resolve(import.meta.dirname, '../..');
const ROUNDS = 3;

/** Passes bytes on to the server and tells when a client first asks for messages. */
async function watchPolls(port: number): Promise<{ port: number; polled: Promise<number>; close: () => void }> {
  const polled = Promise.withResolvers<number>();
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('data', (chunk: Buffer) => {
      if (chunk.includes('AmazonSQS.ReceiveMessage')) polled.resolve(performance.now());
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { port: (proxy.address() as AddressInfo).port, polled: polled.promise, close: () => void proxy.close() };
}

/**
 * Milliseconds from the start of the daemon's process to its first request for messages, with the demo pack and a
 * database that has its tables after the first of the rounds: [first start, median of the later ones].
 */
export async function benchFirstPoll(): Promise<{ readonly firstStartMs: number; readonly laterStartMs: number }> {
  await using folder = await temporaryFolder('bench-start');
  await using stack = await startLocalStack({ dataDir: 'memory', port: 0 });
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const { port } = new URL(stack.endpoint);
    const proxy = await watchPolls(Number(port));
    const through = Object.entries(stack.env).map(([key, value]) => [
      key,
      value.replaceAll(`:${port}`, `:${proxy.port}`),
    ]);
    const env = { DEVICE: 'cpu', MODEL_PACK: join(root, 'models/demo'), WORK_DIR: folder.path, SQS_WAIT_SECONDS: '1' };
    const start = performance.now();
    const variables = { ...Object.fromEntries(through), ...env };
    await using daemon = new DaemonProcess({ entry: 'scripts/start-worker', env: variables });
    const died = daemon.ended.then((end) => Promise.reject(new Error(`it ended with ${end}:\n${daemon.words}`)));
    times.push(Math.round((await Promise.race([proxy.polled, died])) - start));
    await daemon.stop('SIGTERM');
    proxy.close();
  }
  const [firstStartMs = Number.NaN, ...later] = times;
  return { firstStartMs, laterStartMs: median(later) };
}
