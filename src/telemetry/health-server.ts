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

/** Serves /livez, /readyz, /metrics and /statistics on every address; port 0 takes a free one. Rejects when the port is taken. */
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
  switch ((request.url ?? '').replace(/\?.*$/s, '')) {
    case '/livez':
      sendReport(response, source.live());
      return;
    case '/readyz':
      sendReport(response, source.ready());
      return;
    case '/metrics':
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(source.metrics());
      return;
    case '/statistics':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(source.statistics?.() ?? {})}\n`);
      return;
    default:
      response.writeHead(404).end('known are /livez, /readyz, /metrics and /statistics\n');
  }
}

function sendReport(response: ServerResponse, report: HealthReport): void {
  response.writeHead(report.ok ? 200 : 503, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ ok: report.ok, ...report.details })}\n`);
}
