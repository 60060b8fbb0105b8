import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { Failure } from '../failure/failure.ts';
import { capConnections } from './connection-cap.ts';
import { healthGuard, type HealthGuard } from './health-guard.ts';
import { isLoopback } from './loopback.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** Small facts: state, age of the last poll, busy slots. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface HealthSource {
  /** False: the process is stuck and should be restarted. */
  live(): HealthReport;
  /** False: it should not be counted on now (starting, draining, a dependency away). */
  ready(): HealthReport;
  /** Prometheus text. */
  metrics(): string;
  /** What was done and what failed since the start, for people and scripts: one JSON object. */
  statistics?(): object;
}

export interface HealthSettings {
  /** 0 takes a free one. */
  readonly port: number;
  /** Address or name that is listened on. */
  readonly host: string;
  /** What a request must say to see more than a bare ok; null only on the loopback, where none is needed. */
  readonly token: string | null;
  /** Hears of each connection that is closed because there are too many. */
  readonly onCrowd?: () => void;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Endpoint {
  /** Its bare yes or no is for everybody. */
  readonly isOpen: boolean;
  answer(source: HealthSource, isBare: boolean): Answer;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/livez', { isOpen: true, answer: (source, isBare) => report(source.live(), isBare) }],
  ['/readyz', { isOpen: true, answer: (source, isBare) => report(source.ready(), isBare) }],
  [
    '/metrics',
    {
      isOpen: false,
      answer: (source) => ({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: source.metrics() }),
    },
  ],
  ['/statistics', { isOpen: false, answer: (source) => json(200, source.statistics?.() ?? {}) }],
]);

/** What the health server answers; any other path is 404. */
export const HEALTH_PATHS: readonly string[] = [...ENDPOINTS.keys()];

/** Connections at once: these many descriptors are the server's, and no more. */
export const MOST_HEALTH_CONNECTIONS = 32;
/**
 * Connections that the kernel makes ahead. What waits there has often said its request by the time that it is accepted, and what finds no
 * place comes again by itself; with hundreds at hand, a probe that is slow for a moment would be closed for those behind it.
 */
const BACKLOG = 16;
/** A request that is longer, its path and headers together, is none of a probe. */
const MOST_HEADER_BYTES = 8 * 1024;
/** From the connection, or the request's first byte, to its last one, however slowly they come. */
const REQUEST_MS = 5_000;
/** A client that takes nothing of its answer; a part that the kernel took meanwhile doubles it. */
const SILENCE_MS = 6_000;
/** Between two requests: over 15 s, in which Prometheus comes back on the connection that it has. */
const KEEP_ALIVE_MS = 20_000;
/** How often the limits of time are looked after; Node's own 30 s would let the silent stay seven times as long. */
const CHECK_MS = 1_000;
/** Then the connection is closed: what was sent ahead in one piece is answered in bounded memory. */
const MOST_REQUESTS = 100;

/**
 * Serves `HEALTH_PATHS`. Rejects with `Failure('HOST_FAULT')` when the address cannot be listened on, and with `Failure('CONFIG_INVALID')`
 * when others than this host could reach it without a token.
 */
export async function startHealthServer(settings: HealthSettings, source: HealthSource): Promise<HealthServer> {
  const asked = new WeakMap<Socket, number>();
  const guard = healthGuard({ ...settings, ownName: hostname() });
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => {
      const count = (asked.get(request.socket) ?? 0) + 1;
      asked.set(request.socket, count);
      // The last one's answer closes the connection, which ends those behind it. Node's own limit would leave it open.
      if (count > MOST_REQUESTS) return;
      if (count === MOST_REQUESTS) response.setHeader('connection', 'close');
      try {
        answer(request, response, source, guard);
      } catch {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      }
    },
  );
  server.timeout = SILENCE_MS;
  capConnections(server, MOST_HEALTH_CONNECTIONS, () => settings.onCrowd?.());
  // Else Node itself would invite the body.
  server.on('checkContinue', (_, response) => refuse(response, 413, 'a request has no body here'));
  return await listen(server, settings);
}

async function listen(server: Server, { port, host, token }: HealthSettings): Promise<HealthServer> {
  server.listen({ port, host, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw cannotListen(cause, host, port);
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address : { port, address: host };
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  // The name stands for whatever the system resolves it to.
  if (token === null && !isLoopback(bound.address)) {
    await close();
    throw new Failure(
      'CONFIG_INVALID',
      `HEALTH_HOST ${host} is ${bound.address}, which other hosts can reach: set HEALTH_TOKEN, or HEALTH_HOST=127.0.0.1`,
    );
  }
  return { port: bound.port, close };
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program has the port: stop it, or set another HEALTH_PORT'],
  ['EADDRNOTAVAIL', 'no interface of this host has the address: set HEALTH_HOST to one that is there, or to 127.0.0.1'],
  ['EACCES', 'ports below 1024 are for root: set a higher HEALTH_PORT'],
]);

/** Of this host, and not for ever: the port may be another worker's that still drains, and the address of an interface that comes up. */
function cannotListen(cause: unknown, host: string, port: number): Failure {
  const { code = 'UNKNOWN' } = cause as NodeJS.ErrnoException;
  const advice = ADVICE.get(code) ?? 'set HEALTH_HOST to an address of this host';
  return new Failure('HOST_FAULT', `the health port ${port} of ${host} cannot be opened (${code}): ${advice}`, {
    cause,
    details: { errno: code },
  });
}

function answer(request: IncomingMessage, response: ServerResponse, source: HealthSource, guard: HealthGuard): void {
  // What is answered is for whoever asked, and is text, whatever a browser makes of it.
  response.setHeader('cache-control', 'no-store').setHeader('x-content-type-options', 'nosniff');
  const access = guard(request);
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (access === 'misdirected') return refuse(response, 421, 'the Host of the request is none of this host');
  if (encoding !== undefined || length !== '0') return refuse(response, 413, 'a request has no body here');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'known are GET and HEAD');
  }
  const endpoint = ENDPOINTS.get((request.url ?? '').replace(/\?.*$/s, ''));
  if (endpoint === undefined) return refuse(response, 404, `known are ${HEALTH_PATHS.join(', ')}`);
  if (access === 'bare' && !endpoint.isOpen) {
    response.setHeader('www-authenticate', 'Bearer realm="video-worker"');
    return refuse(response, 401, 'say HEALTH_TOKEN as Authorization: Bearer TOKEN');
  }
  const { status, type, text } = endpoint.answer(source, access === 'bare');
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** Ends the connection as well: nothing more is read of it. */
function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${reason}\n`);
}

function report({ ok, details }: HealthReport, isBare: boolean): Answer {
  return json(ok ? 200 : 503, isBare ? { ok } : { ok, ...details });
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', text: `${JSON.stringify(body)}\n` };
}
