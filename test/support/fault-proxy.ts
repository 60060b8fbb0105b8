import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface FaultProxy {
  readonly port: number;
  /** Connections that are open now, client side. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Resets each later connection once the server has sent it `bytes`; `times` bounds how many are cut (default: until healed). */
  cutAfterBytes(bytes: number, times?: number): void;
  /** Half-open: bytes of both directions are swallowed, open connections included, nobody is told. */
  blackhole(): void;
  /** Holds each chunk in both directions for `ms`. */
  delay(ms: number): void;
  /** Answers every new request with this HTTP status and body instead of forwarding it. */
  respond(status: number, body?: string): void;
  /** Refuses new connections and resets the open ones. */
  refuse(): void;
  /** Resets the connections that are open now; later ones work. */
  cut(): void;
  heal(): void;
  close(): Promise<void>;
}

type Fault =
  | { readonly kind: 'none' | 'blackhole' | 'refuse' }
  | { readonly kind: 'cut'; readonly bytes: number; left: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string };

/** A TCP proxy on a free local port that does to a connection what networks do. */
export async function createFaultProxy(targetHost: string, targetPort: number): Promise<FaultProxy> {
  let fault: Fault = { kind: 'none' };
  let accepted = 0;
  const open = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };

  const server = createServer((client) => {
    accepted += 1;
    if (fault.kind === 'refuse') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(targetPort, targetHost);
    open.add(client);
    let answered = 0;
    const forward = (from: Socket, to: Socket, chunk: Buffer): void => {
      const write = (): void => {
        if (to.destroyed || to.writableEnded) return;
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      };
      if (fault.kind === 'delay') later(fault.ms, write);
      else write();
    };
    client.on('data', (chunk: Buffer) => {
      if (fault.kind === 'blackhole') return;
      if (fault.kind === 'respond') {
        const { status, body } = fault;
        client.end(
          `HTTP/1.1 ${status} Fault\r\ncontent-type: application/xml\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
        return;
      }
      forward(client, upstream, chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (fault.kind === 'blackhole') return;
      if (fault.kind === 'cut' && fault.left > 0 && answered + chunk.length > fault.bytes) {
        fault.left -= 1;
        const rest = chunk.subarray(0, Math.max(0, fault.bytes - answered));
        // The bytes before the cut must be on their way before the reset throws them away.
        client.write(rest, () => later(20, () => client.resetAndDestroy()));
        upstream.destroy();
        return;
      }
      answered += chunk.length;
      forward(upstream, client, chunk);
    });
    const endLater = (to: Socket): void => {
      if (fault.kind === 'blackhole') return;
      if (fault.kind === 'delay') later(fault.ms, () => to.end());
      else to.end();
    };
    client.on('end', () => endLater(upstream));
    upstream.on('end', () => endLater(client));
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      open.delete(client);
      upstream.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return open.size;
    },
    get accepted() {
      return accepted;
    },
    cutAfterBytes: (bytes, times = Infinity) => {
      fault = { kind: 'cut', bytes, left: times };
    },
    blackhole: () => {
      fault = { kind: 'blackhole' };
    },
    delay: (ms) => {
      fault = { kind: 'delay', ms };
    },
    respond: (status, body = '') => {
      fault = { kind: 'respond', status, body };
    },
    refuse: () => {
      fault = { kind: 'refuse' };
      cut();
    },
    cut,
    heal: () => {
      fault = { kind: 'none' };
    },
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
