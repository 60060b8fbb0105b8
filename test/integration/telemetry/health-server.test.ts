import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { type HealthServer, startHealthServer } from '../../../src/telemetry/health-server.ts';

let isReady = true;
let server: HealthServer;

beforeEach(async () => {
  server = await startHealthServer(0, {
    live: () => ({ ok: true, details: { loopDelayMs: 2 } }),
    ready: () => ({ ok: isReady, details: { state: isReady ? 'polling' : 'draining' } }),
    metrics: () => 'a 1\n',
    statistics: () => ({ completed: 3, byStage: { download: 1 } }),
  });
});

afterEach(async () => {
  await server.close();
});

const get = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method });

describe('the health server', () => {
  test('answers 503 on /readyz while the worker drains, with the reason', async () => {
    isReady = false;
    const answer = await get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ok: false, state: 'draining' });
    isReady = true;
    expect((await get('/readyz?verbose')).status).toBe(200);
  });

  test('serves liveness, metrics and statistics, and nothing else', async () => {
    expect(await (await get('/statistics')).json()).toEqual({ completed: 3, byStage: { download: 1 } });
    expect(await (await get('/livez')).json()).toEqual({ ok: true, loopDelayMs: 2 });
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toBe('a 1\n');
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics', 'POST')).status).toBe(405);
  });

  test('rejects when the port is taken', async () => {
    const source = {
      live: () => ({ ok: true, details: {} }),
      ready: () => ({ ok: true, details: {} }),
      metrics: () => '',
    };
    await expect(startHealthServer(server.port, source)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
