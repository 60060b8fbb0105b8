import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A call that makes or renews leases: when it came, and the receipt handles that it is about. */
export interface LeaseCall {
  readonly kind: 'receive' | 'renew' | 'settle';
  readonly atMs: number;
  readonly handles: readonly string[];
}

export interface LeaseWatch extends AsyncDisposable {
  readonly port: number;
  readonly calls: readonly LeaseCall[];
}

/** Passes all calls on to the server of queue and store on another port of this machine, and notes when each lease began and was renewed. */
export async function watchLeases(serverPort: number): Promise<LeaseWatch> {
  const calls: LeaseCall[] = [];
  const server = createServer((asked, answer) => {
    void passOn(asked, answer, serverPort, calls).catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function passOn(asked: IncomingMessage, answer: ServerResponse, port: number, calls: LeaseCall[]): Promise<void> {
  const atMs = performance.now();
  const body = await buffer(asked);
  const { method, url, headers } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers });
  onward.end(body);
  const [back] = (await once(onward, 'response')) as [IncomingMessage];
  const said = await buffer(back);
  const target = headers['x-amz-target'];
  const call = typeof target === 'string' ? leaseCall(target, body.toString(), said.toString()) : null;
  if (call !== null) calls.push({ ...call, atMs });
  answer.writeHead(back.statusCode ?? 502, back.headers);
  answer.end(said);
}

/** What a call of SQS's JSON protocol does to leases; null for one that does nothing. */
export function leaseCall(target: string, asked: string, said: string): Omit<LeaseCall, 'atMs'> | null {
  const action = target.split('.').at(-1) ?? '';
  if (action === 'ReceiveMessage') {
    const { Messages = [] } = JSON.parse(said) as { Messages?: readonly { readonly ReceiptHandle: string }[] };
    return { kind: 'receive', handles: Messages.map(({ ReceiptHandle }) => ReceiptHandle) };
  }
  if (action !== 'ChangeMessageVisibilityBatch' && action !== 'DeleteMessageBatch') return null;
  const { Entries } = JSON.parse(asked) as {
    readonly Entries: readonly { readonly ReceiptHandle: string; readonly VisibilityTimeout?: number }[];
  };
  const isRenewal =
    action === 'ChangeMessageVisibilityBatch' && Entries.every((entry) => entry.VisibilityTimeout !== 0);
  return { kind: isRenewal ? 'renew' : 'settle', handles: Entries.map(({ ReceiptHandle }) => ReceiptHandle) };
}

/** Seconds between the beginning of each lease, its renewals, and its end, the longest first. */
export function leaseGaps(calls: readonly LeaseCall[]): readonly number[] {
  const last = new Map<string, number>();
  const gaps: number[] = [];
  for (const { kind, atMs, handles } of calls) {
    for (const handle of handles) {
      const before = last.get(handle);
      if (before !== undefined) gaps.push((atMs - before) / 1000);
      if (kind === 'settle') last.delete(handle);
      else last.set(handle, atMs);
    }
  }
  return gaps.sort((a, b) => b - a);
}
