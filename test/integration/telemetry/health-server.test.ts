import { once } from 'node:events';
import { Agent, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type HealthServer,
  type HealthSettings,
  type HealthSource,
  MOST_HEALTH_CONNECTIONS,
  startHealthServer,
} from '../../../src/telemetry/health-server.ts';

const TOKEN = 'a-token-that-is-long-enough';
const held: (() => unknown)[] = [];
let isReady = true;

const SOURCE: HealthSource = {
  live: () => ({ ok: true, details: { loopDelayMs: 2 } }),
  ready: () => ({ ok: isReady, details: { state: isReady ? 'polling' : 'draining' } }),
  metrics: () => 'a 1\n',
  statistics: () => ({ completed: 3, byStage: { download: 1 } }),
};

afterEach(async () => {
  isReady = true;
  for (const end of held.splice(0).toReversed()) await end();
});

async function start(settings: Partial<HealthSettings> = {}): Promise<HealthServer> {
  const server = await startHealthServer({ port: 0, host: '127.0.0.1', token: null, ...settings }, SOURCE);
  held.push(() => server.close());
  return server;
}

interface Asked {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly agent?: Agent;
}

async function ask(server: HealthServer, path: string, asking: Asking = {}): Promise<Asked> {
  const { method = 'GET', headers = {}, host = '127.0.0.1', agent } = asking;
  const sent = httpRequest({ host, port: server.port, path, method, headers, agent: agent ?? false });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** A connection of which only the end is waited for: a reset is one, too. */
function open(server: HealthServer, words = ''): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  if (words !== '') socket.write(words);
  held.push(() => socket.destroy());
  return socket;
}

async function connected(socket: Socket): Promise<void> {
  if (socket.connecting) await once(socket, 'connect');
}

/** All that a connection is told until it is closed. */
async function heard(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('on the loopback without a token', () => {
  test('answers 503 on /readyz while the worker drains, with the reason', async () => {
    const server = await start();
    isReady = false;
    const answer = await ask(server, '/readyz');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, state: 'draining' });
    isReady = true;
    expect((await ask(server, '/readyz?verbose')).status).toBe(200);
  });

  test('serves liveness, metrics and statistics, and nothing else', async () => {
    const server = await start();
    expect(JSON.parse((await ask(server, '/statistics')).body)).toEqual({ completed: 3, byStage: { download: 1 } });
    expect(JSON.parse((await ask(server, '/livez')).body)).toEqual({ ok: true, loopDelayMs: 2 });
    const metrics = await ask(server, '/metrics');
    expect(metrics.headers['content-type']).toContain('version=0.0.4');
    expect(metrics.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(metrics.body).toBe('a 1\n');
    expect((await ask(server, '/metrics', { method: 'HEAD' })).body).toBe('');
    expect((await ask(server, '/')).status).toBe(404);
    expect((await ask(server, `http://127.0.0.1:${server.port}/livez`)).status).toBe(404);
    expect((await ask(server, '/metrics', { method: 'POST' })).status).toBe(405);
  });

  test('is not to be reached by another address of the host', async () => {
    const server = await start();
    const socket = connect(server.port, '127.0.0.2');
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('answers nobody who calls it by a name of somebody else', async () => {
    const server = await start();
    const { port } = server;
    for (const host of [
      'rebound.example',
      `rebound.example:${port}`,
      '127.0.0.1.rebound.example',
      '10.0.0.9',
      '[::2]',
      'a:b:c',
    ]) {
      for (const path of ['/statistics', '/metrics', '/livez', '/']) {
        const answer = await ask(server, path, { headers: { host } });
        expect([host, path, answer.status]).toEqual([host, path, 421]);
        expect(answer.body).not.toContain('rebound');
      }
    }
    const two = await heard(open(server, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n\r\n'));
    expect(two).toMatch(/^HTTP\/1\.1 4\d\d /);
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', `[::1]:${port}`, hostname(), 'localhost.']) {
      expect([host, (await ask(server, '/statistics', { headers: { host } })).status]).toEqual([host, 200]);
    }
  });

  test('answers the check of a load balancer in HTTP/1.0, and no HTTP/1.1 without a Host', async () => {
    const server = await start();
    expect(await heard(open(server, 'GET /livez HTTP/1.0\r\n\r\n'))).toMatch(/^HTTP\/1\.1 200 [\s\S]*"ok":true/);
    expect(await heard(open(server, 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test.each(['0.0.0.0', '::'])('does not listen on %s', async (host) => {
    await expect(startHealthServer({ port: 0, host, token: null }, SOURCE)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('set HEALTH_TOKEN'),
    });
  });
});

describe('with a token', () => {
  const bearer = (token: string): Asking => ({ headers: { authorization: `Bearer ${token}`, host: 'worker.example' } });

  test.each(['127.0.0.1', '0.0.0.0', '::'])(
    'on %s says what it knows to whoever says it, and else yes or no',
    async (host) => {
      const server = await start({ host, token: TOKEN });
      for (const path of ['/metrics', '/statistics']) {
        const refusals = [{}, bearer(''), bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), bearer(TOKEN.toUpperCase())];
        for (const asking of [...refusals, { headers: { authorization: `Basic ${TOKEN}` } }]) {
          const answer = await ask(server, path, asking);
          expect(answer.status).toBe(401);
          expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
          expect(answer.body).not.toMatch(/completed|^a 1/);
        }
        expect((await ask(server, path, bearer(TOKEN))).status).toBe(200);
      }
      expect((await ask(server, '/livez')).body).toBe('{"ok":true}\n');
      expect(JSON.parse((await ask(server, '/livez', bearer(TOKEN))).body)).toEqual({ ok: true, loopDelayMs: 2 });
      isReady = false;
      // As a kubelet asks: by the address, without a token.
      const probe = await ask(server, '/readyz', { headers: { host: '10.1.2.3:9090' } });
      expect([probe.status, probe.body]).toEqual([503, '{"ok":false}\n']);
    },
  );

  test('a name that is no address of this host is said with what to do', async () => {
    const one = await start();
    const settings = { host: '127.0.0.1', token: TOKEN };
    await expect(startHealthServer({ ...settings, port: one.port }, SOURCE)).rejects.toMatchObject({
      code: 'HOST_FAULT',
      message: expect.stringMatching(/EADDRINUSE\): another program has the port.*HEALTH_PORT/),
    });
    await expect(startHealthServer({ ...settings, port: 0, host: '192.0.2.1' }, SOURCE)).rejects.toMatchObject({
      code: 'HOST_FAULT',
      message: expect.stringMatching(/EADDRNOTAVAIL\).*HEALTH_HOST/),
    });
  });
});

describe('connections', () => {
  test('a crowd that says nothing costs no more than the cap, and who asks is answered', async () => {
    const server = await start();
    const beyond = 400 - (MOST_HEALTH_CONNECTIONS - 1);
    const allClosed = Promise.withResolvers<void>();
    let closed = 0;
    for (let come = 0; come < 400; come += 8) {
      const some = Array.from({ length: 8 }, () => open(server));
      for (const socket of some) {
        socket.on('close', () => {
          closed += 1;
          if (closed === beyond) allClosed.resolve();
        });
      }
      await Promise.all(some.map((socket) => connected(socket)));
      // Asked last, when all of them have been accepted.
      expect((await ask(server, '/livez')).status).toBe(200);
    }
    await allClosed.promise;
    // Whoever came first, and asks again and again, keeps its connection among them.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    held.push(() => agent.destroy());
    for (let round = 0; round < 10; round++) {
      expect((await ask(server, '/metrics', { agent })).status).toBe(200);
      await Promise.all(Array.from({ length: 8 }, () => connected(open(server))));
      expect((await ask(server, '/livez')).status).toBe(200);
    }
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  });

  test('a crowd from one address closes its own connections, not those of another', async () => {
    const server = await start({ host: '0.0.0.0', token: TOKEN });
    const other = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    held.push(() => other.destroy());
    await connected(other);
    const first = open(server);
    await connected(first);
    for (let come = 0; come < 2 * MOST_HEALTH_CONNECTIONS; come++) await connected(open(server));
    await heard(first);
    other.write('GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await heard(other)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('whoever says nothing, or a byte now and then, is closed after a few seconds', async () => {
    const server = await start();
    const begun = performance.now();
    const silent = open(server);
    const slow = open(server, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ');
    const drops = setInterval(() => slow.write('x'), 200);
    held.push(() => clearInterval(drops));
    const words = await Promise.all([heard(silent), heard(slow)]);
    expect(performance.now() - begun).toBeLessThan(15_000);
    // Where a drop comes in after the end, the answer may be lost with the connection.
    for (const said of words) expect(said).toMatch(/^(HTTP\/1\.1 408 |$)/);
  }, 30_000);

  test('Prometheus keeps its connection from one scrape to the next', async () => {
    const server = await start();
    const agent = new Agent({ keepAlive: true });
    held.push(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let scrape = 0; scrape < 3; scrape++) {
      const sent = httpGet({ host: '127.0.0.1', port: server.port, path: '/metrics', agent });
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      ports.add(answer.socket.localPort);
      expect(answer.headers['keep-alive']).toMatch(/^timeout=20\b/);
      await text(answer);
    }
    expect(ports.size).toBe(1);
  });

  test.each([
    ['a body', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello', 413],
    ['a body in pieces', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n', 413],
    [
      'a body that it asks leave for',
      'POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
      413,
    ],
    ['a long path', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['long headers', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(9_000)}\r\n\r\n`, 431],
    ['what is not HTTP', 'SSH-2.0-OpenSSH_9\r\n\r\n', 400],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ])('%s is refused and the connection closed', async (_, words, status) => {
    const server = await start();
    expect(await heard(open(server, words))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await ask(server, '/livez')).status).toBe(200);
  });

  test('a tunnel and another protocol are not spoken', async () => {
    const server = await start();
    expect(await heard(open(server, 'CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: localhost\r\n\r\n'))).not.toMatch(/ 200 /);
    const upgrade =
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await heard(open(server, upgrade))).not.toMatch(/ 101 /);
  });

  test('what is sent ahead in one piece is answered up to a number, in order', async () => {
    const server = await start();
    const one = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const said = await heard(open(server, one.repeat(1_000)));
    expect(said.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(100);
    expect((await ask(server, '/livez')).status).toBe(200);
  });
});
