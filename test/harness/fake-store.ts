import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { owned } from './ownership.ts';

export interface StoreRequest {
  readonly method: string;
  /** Decoded, with bucket and key. */
  readonly path: string;
  /** That it is signed for. */
  readonly region: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface StoreAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A server in the place of S3 that answers as a test says: what no emulator answers. */
export interface FakeStore extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: StoreRequest[];
}

/** Like S3, it answers a HEAD with the headers of the answer and without its body. */
export async function startFakeStore(answer: (request: StoreRequest) => StoreAnswer): Promise<FakeStore> {
  const requests: StoreRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '/', headers } = incoming;
      const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
      const path = decodeURIComponent(new URL(url, 'http://store').pathname);
      const request = { method, path, region, headers, body: Buffer.concat(chunks) };
      requests.push(request);
      const { status, headers: extra = {}, body = '' } = answer(request);
      outgoing.writeHead(status, extra);
      outgoing.end(method === 'HEAD' ? undefined : body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: owned('a fake store', async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    }),
  };
}

/** An error in the form of S3. */
export function storeError(status: number, code: string, message = 'x', more = ''): StoreAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
