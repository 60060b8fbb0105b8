import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import pino from 'pino';
import { watchInterruptions, type HostNotice } from '../../../src/worker/interruption-watch.ts';

test('a spot notice is told once, over a session token, and the watch ends when stopped', async () => {
  let rounds = 0;
  const seenTwice = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    if (request.method === 'PUT') {
      response.end('token-1');
      return;
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== 'token-1') {
      response.writeHead(401).end();
      return;
    }
    if (request.url === '/latest/meta-data/spot/instance-action') {
      rounds += 1;
      if (rounds === 3) seenTwice.resolve();
      response.end('{"action":"terminate","time":"2026-01-01T00:00:00Z"}');
      return;
    }
    response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const notices: HostNotice[] = [];
  const stop = watchInterruptions({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intervalMs: 5,
    logger: pino({ level: 'silent' }),
    onNotice: (notice) => notices.push(notice),
  });
  await seenTwice.promise;
  await stop();
  server.closeAllConnections();
  server.close();
  expect(notices).toEqual([{ kind: 'spot-interruption', at: '2026-01-01T00:00:00Z' }]);
});
