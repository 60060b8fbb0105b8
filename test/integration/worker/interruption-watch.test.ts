import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { watchInterruptions, type HostNotice } from '../../../src/worker/interruption-watch.ts';

/** A fake of the instance metadata service, version 2: a token by PUT, everything else only with it. */
interface Imds extends AsyncDisposable {
  readonly endpoint: string;
  /** What each path under `meta-data/` says; the others are 404, as on a host that stays. */
  readonly says: Map<string, string>;
  /** Tokens given so far; only the newest is good. */
  tokens: number;
  /** Resolves when every path has been asked again, from now on, so often. */
  rounds(count: number): Promise<void>;
}

const SPOT = 'spot/instance-action';
const REBALANCE = 'events/recommendations/rebalance';
const LIFECYCLE = 'autoscaling/target-lifecycle-state';

async function startImds(): Promise<Imds> {
  let rounds = 0;
  const waiting = new Set<{ at: number; resolve: () => void }>();
  const says = new Map<string, string>();
  const server = createServer((request, response) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      if (request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined) response.writeHead(400);
      else imds.tokens += 1;
      response.end(`token-${imds.tokens}`);
      return;
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== `token-${imds.tokens}`) {
      response.writeHead(401).end();
      return;
    }
    const path = (request.url ?? '').replace('/latest/meta-data/', '');
    if (path === LIFECYCLE) {
      rounds += 1;
      for (const waiter of waiting) if (waiter.at <= rounds) waiter.resolve();
    }
    const text = says.get(path);
    response.writeHead(text === undefined ? 404 : 200).end(text ?? '<html>404 - Not Found</html>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const imds: Imds = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    says,
    tokens: 0,
    rounds: (count) =>
      new Promise((resolve) => {
        waiting.add({ at: rounds + count, resolve });
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  return imds;
}

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

function watch(endpoint: string): HostNotice[] {
  const notices: HostNotice[] = [];
  stops.push(
    watchInterruptions({
      endpoint,
      intervalMs: 5,
      logger: pino({ level: 'silent' }),
      onNotice: (notice) => notices.push(notice),
    }),
  );
  return notices;
}

test('a spot notice is told once, over a session token, and the watch ends when stopped', async () => {
  await using imds = await startImds();
  imds.says.set(SPOT, '{"action":"terminate","time":"2026-01-01T00:00:00Z"}');
  const notices = watch(imds.endpoint);
  await imds.rounds(3);
  expect(notices).toEqual([{ kind: 'spot-interruption', at: '2026-01-01T00:00:00Z' }]);
  expect(imds.tokens).toBe(1);
});

test('a rebalance recommendation is told with its time, once', async () => {
  await using imds = await startImds();
  const notices = watch(imds.endpoint);
  await imds.rounds(2);
  expect(notices).toEqual([]);
  imds.says.set(REBALANCE, '{"noticeTime":"2026-02-02T08:22:00Z"}');
  await imds.rounds(3);
  expect(notices).toEqual([{ kind: 'rebalance', at: '2026-02-02T08:22:00Z' }]);
});

test('of the states of an Auto Scaling group only the one that ends the host counts', async () => {
  await using imds = await startImds();
  const notices = watch(imds.endpoint);
  for (const state of ['InService', 'Standby', 'Warmed:Stopped', 'Detached']) {
    imds.says.set(LIFECYCLE, state);
    await imds.rounds(2);
  }
  expect(notices).toEqual([]);
  imds.says.set(LIFECYCLE, 'Terminated\n');
  await imds.rounds(3);
  expect(notices).toEqual([{ kind: 'auto-scaling-terminated', at: null }]);
});

test('each kind is told by itself, and a text that cannot be read still counts', async () => {
  await using imds = await startImds();
  imds.says.set(SPOT, 'not json');
  imds.says.set(REBALANCE, '{"noticeTime":7}');
  imds.says.set(LIFECYCLE, 'Terminated');
  const notices = watch(imds.endpoint);
  await imds.rounds(3);
  expect(notices.map(({ kind, at }) => [kind, at])).toEqual([
    ['spot-interruption', null],
    ['rebalance', null],
    ['auto-scaling-terminated', null],
  ]);
});

test('a token that expired is asked for again, and nothing is taken for a notice meanwhile', async () => {
  await using imds = await startImds();
  const notices = watch(imds.endpoint);
  await imds.rounds(2);
  // The service forgets its tokens.
  imds.tokens += 1;
  await imds.rounds(1);
  expect(imds.tokens).toBe(3);
  imds.says.set(SPOT, '{"time":"2026-01-01T00:00:00Z"}');
  await imds.rounds(2);
  expect(notices).toHaveLength(1);
});

test('off AWS nobody answers, which is no notice', async () => {
  const imds = await startImds();
  const { endpoint } = imds;
  await imds[Symbol.asyncDispose]();
  const notices = watch(endpoint);
  await Promise.all(stops.map((stop) => stop()));
  expect(notices).toEqual([]);
});
