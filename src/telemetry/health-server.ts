import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

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

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

type Endpoint = (response: ServerResponse, source: HealthSource) => void;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/livez', (response, source) => sendReport(response, source.live())],
  ['/readyz', (response, source) => sendReport(response, source.ready())],
  ['/metrics', (response, source) => send(response, 'text/plain; version=0.0.4; charset=utf-8', source.metrics())],
  [
    '/statistics',
    (response, source) => send(response, 'application/json', `${JSON.stringify(source.statistics?.() ?? {})}\n`),
  ],
]);

/** What the health server answers; any other path is 404. */
export const HEALTH_PATHS: readonly string[] = [...ENDPOINTS.keys()];

/** Serves `HEALTH_PATHS` on every address; port 0 takes a free one. Rejects when the port is taken. */
export async function startHealthServer(port: number, source: HealthSource): Promise<HealthServer> {
  const server = createServer((request, response) => {
    try {
      answer(request, response, source);
    } catch {
      response.writeHead(500).end();
    }
  });
  // A probe that opens a connection and says nothing must not keep one of ours for long.
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  server.listen(port);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, source: HealthSource): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const endpoint = ENDPOINTS.get((request.url ?? '').replace(/\?.*$/s, ''));
  if (endpoint === undefined) response.writeHead(404).end(`known are ${HEALTH_PATHS.join(', ')}\n`);
  else endpoint(response, source);
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': type }).end(text);
}

function sendReport(response: ServerResponse, report: HealthReport): void {
  response.writeHead(report.ok ? 200 : 503, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ ok: report.ok, ...report.details })}\n`);
}
