import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RETRY_POLICIES, type RetryPolicy } from '../../../src/failure/retry.ts';
import { createBedrockDescriber, DEFAULT_BEDROCK_SETTINGS, type BedrockSettings } from '../../../src/scene/bedrock.ts';

const QUICK: RetryPolicy = { ...RETRY_POLICIES.bedrock, baseMs: 1 };

type Answer = (request: { readonly path: string; readonly body: unknown }, response: ServerResponse) => void;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that answers like the Converse API: `POST /model/{id}/converse`, JSON, one answer per call. */
async function fakeBedrock(
  answers: readonly Answer[],
): Promise<{ endpoint: string; requests: { path: string; body: unknown }[] }> {
  const requests: { path: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const seen = { path: decodeURIComponent(request.url ?? ''), body };
      requests.push(seen);
      (answers[requests.length - 1] ?? answers.at(-1))?.(seen, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function send(response: ServerResponse, status: number, body: object, errorType?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(errorType === undefined ? {} : { 'x-amzn-errortype': errorType }),
  });
  response.end(JSON.stringify(body));
}

const says =
  (text: string, usage = { inputTokens: 1000, outputTokens: 40, totalTokens: 1040 }): Answer =>
  (_, response) => {
    send(response, 200, {
      output: { message: { role: 'assistant', content: [{ text }] } },
      stopReason: 'end_turn',
      usage,
      metrics: { latencyMs: 10 },
    });
  };

const fails =
  (status: number, type: string): Answer =>
  (_, response) => {
    send(response, status, { message: `${type} from the test` }, type);
  };

function describer(endpoint: string, changes: Partial<BedrockSettings> = {}) {
  const created = createBedrockDescriber({
    ...DEFAULT_BEDROCK_SETTINGS,
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    retry: QUICK,
    ...changes,
  });
  cleanups.push(() => {
    created.close();
  });
  return created;
}

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
const idle = new AbortController().signal;

test('sends the picture and the question to the configured model and counts tokens and cost', async () => {
  const { endpoint, requests } = await fakeBedrock([says('A man pays.'), says('Nobody is there.')]);
  const session = describer(endpoint).forVideo();
  expect(await session.describe(jpeg, idle)).toBe('A man pays.');
  expect(await session.describe(jpeg, idle)).toBe('Nobody is there.');
  expect(requests[0]?.path).toBe('/model/anthropic.claude-3-haiku-20240307-v1:0/converse');
  expect(requests[0]?.body).toMatchObject({
    messages: [
      {
        role: 'user',
        content: [
          { image: { format: 'jpeg', source: { bytes: '/9j/2Q==' } } },
          { text: DEFAULT_BEDROCK_SETTINGS.question },
        ],
      },
    ],
    inferenceConfig: { maxTokens: 120, temperature: 0 },
  });
  expect(session.cost()).toEqual({ calls: 2, inputTokens: 2000, outputTokens: 80, usd: 0.0006 });
});

describe('failures', () => {
  test('a throttled call is tried again', async () => {
    const { endpoint, requests } = await fakeBedrock([
      fails(429, 'ThrottlingException'),
      fails(503, 'ServiceUnavailableException'),
      says('ok'),
    ]);
    expect(await describer(endpoint).forVideo().describe(jpeg, idle)).toBe('ok');
    expect(requests).toHaveLength(3);
  });

  test('throttling that lasts is temporary', async () => {
    const { endpoint, requests } = await fakeBedrock([fails(429, 'ThrottlingException')]);
    const failing = describer(endpoint).forVideo().describe(jpeg, idle);
    await expect(failing).rejects.toMatchObject({ code: 'THROTTLED', class: 'temporary' });
    expect(requests).toHaveLength(3);
  });

  test.each([
    ['AccessDeniedException', 403, 'CREDENTIALS'],
    ['ValidationException', 400, 'SCENE_FAILED'],
    ['ResourceNotFoundException', 404, 'SCENE_FAILED'],
  ])('%s is not tried again', async (type, status, code) => {
    const { endpoint, requests } = await fakeBedrock([fails(status, type)]);
    const failing = describer(endpoint).forVideo().describe(jpeg, idle);
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(type) });
    expect(requests).toHaveLength(1);
  });

  test('an answer without text says why', async () => {
    const { endpoint } = await fakeBedrock([
      (_, response) => {
        send(response, 200, {
          output: { message: { role: 'assistant', content: [] } },
          stopReason: 'content_filtered',
        });
      },
    ]);
    await expect(describer(endpoint).forVideo().describe(jpeg, idle)).rejects.toThrow('content_filtered');
  });

  test('a silent service ends in a timeout', async () => {
    const { endpoint } = await fakeBedrock([() => undefined]);
    const failing = describer(endpoint, { timeoutMs: 50, retry: { ...QUICK, retries: 0 } })
      .forVideo()
      .describe(jpeg, idle);
    await expect(failing).rejects.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('50 ms') });
  });

  test('a closed port is a network failure', async () => {
    const { endpoint } = await fakeBedrock([]);
    await cleanups.pop()?.();
    const failing = describer(endpoint, { retry: { ...QUICK, retries: 0 } })
      .forVideo()
      .describe(jpeg, idle);
    await expect(failing).rejects.toMatchObject({ code: 'NETWORK' });
  });

  test('an abort rejects with its reason while the service is silent', async () => {
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const { endpoint } = await fakeBedrock([() => controller.abort(reason)]);
    await expect(describer(endpoint).forVideo().describe(jpeg, controller.signal)).rejects.toBe(reason);
  });
});

describe('budgets', () => {
  test('calls are counted per video, retries included', async () => {
    const { endpoint } = await fakeBedrock([fails(429, 'ThrottlingException'), says('one'), says('two')]);
    const shared = describer(endpoint, { maxCallsPerVideo: 2 });
    const session = shared.forVideo();
    await session.describe(jpeg, idle);
    await expect(session.describe(jpeg, idle)).rejects.toThrow('budget of 2 Bedrock calls');
    expect(await shared.forVideo().describe(jpeg, idle)).toBe('two');
  });

  test('money ends the texts too', async () => {
    const { endpoint } = await fakeBedrock([says('one')]);
    const session = describer(endpoint, { maxUsdPerVideo: 0.0003 }).forVideo();
    await session.describe(jpeg, idle);
    await expect(session.describe(jpeg, idle)).rejects.toThrow('0.0003 USD');
  });
});
