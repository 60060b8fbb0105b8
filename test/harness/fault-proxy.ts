import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { owned } from './ownership.ts';

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now, client side. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Resets each later connection once the server has sent it `bytes`; `times` bounds how many are cut (default: until healed). */
  cutAfterBytes(bytes: number, times?: number): void;
  /** Passes on `bytes` of what the server sends on each connection, and then nothing more until `cut`. */
  holdAfterBytes(bytes: number): void;
  /** Half-open: bytes of both directions are swallowed, open connections included, nobody is told. */
  blackhole(): void;
  /** Holds each chunk in both directions for `ms`. */
  delay(ms: number): void;
  /** Answers every new request with this HTTP status and body instead of forwarding it. */
  respond(status: number, body?: string): void;
  /** Asks for each whole HTTP request what to answer in the server's place; null lets it through. */
  answer(reply: Reply): void;
  /** Refuses new connections and resets the open ones. */
  refuse(): void;
  /** Resets the connections that are open now; later ones work. */
  cut(): void;
  heal(): void;
  close(): Promise<void>;
}

/** `request` is head and body as text. */
export type Reply = (request: string) => { readonly status: number; readonly body: string } | null;

type Fault =
  | { readonly kind: 'none' | 'blackhole' | 'refuse' }
  | { readonly kind: 'cut'; readonly bytes: number; left: number }
  | { readonly kind: 'hold'; readonly bytes: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'respond'; readonly status: number; readonly body: string }
  | { readonly kind: 'answer'; readonly reply: Reply };

/** A TCP proxy on a free local port that does to a connection what networks do. `onAnswer` reads along what the server says. */
export async function createFaultProxy(
  targetHost: string,
  targetPort: number,
  onAnswer?: (chunk: Buffer) => void,
): Promise<FaultProxy> {
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
    // What is held back goes first: a chunk that comes after the delay was healed must not overtake it.
    const lane = (): ((work: () => void) => void) => {
      const held: (() => void)[] = [];
      return (work) => {
        if (fault.kind !== 'delay' && held.length === 0) {
          work();
          return;
        }
        held.push(work);
        later(fault.kind === 'delay' ? fault.ms : 0, () => {
          for (const next of held.splice(0, held.indexOf(work) + 1)) next();
        });
      };
    };
    const lanes = new Map([client, upstream].map((socket) => [socket, lane()]));
    const forward = (from: Socket, to: Socket, chunk: Buffer): void => {
      lanes.get(from)?.(() => {
        if (to.destroyed || to.writableEnded) return;
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    let request = Buffer.alloc(0);
    const answerRequest = (chunk: Buffer, reply: Reply): void => {
      request = Buffer.concat([request, chunk]);
      if (!isWhole(request)) return;
      const whole = request;
      request = Buffer.alloc(0);
      const answer = reply(whole.toString('latin1'));
      if (answer === null) forward(client, upstream, whole);
      else client.write(httpAnswer(answer, 'application/x-amz-json-1.0', 'keep-alive'));
    };
    client.on('data', (chunk: Buffer) => {
      if (fault.kind === 'blackhole') return;
      if (fault.kind === 'respond') {
        client.end(httpAnswer(fault, 'application/xml', 'close'));
        return;
      }
      if (fault.kind === 'answer' && (request.length > 0 || METHOD.test(chunk.toString('latin1', 0, 8)))) {
        answerRequest(chunk, fault.reply);
        return;
      }
      const rest = request;
      request = Buffer.alloc(0);
      forward(client, upstream, Buffer.concat([rest, chunk]));
    });
    upstream.on('data', (chunk: Buffer) => {
      if (fault.kind === 'blackhole') return;
      onAnswer?.(chunk);
      if (fault.kind === 'cut' && fault.left > 0 && answered + chunk.length > fault.bytes) {
        fault.left -= 1;
        const rest = chunk.subarray(0, Math.max(0, fault.bytes - answered));
        // The bytes before the cut must be on their way before the reset throws them away.
        client.write(rest, () => later(20, () => client.resetAndDestroy()));
        upstream.destroy();
        return;
      }
      if (fault.kind === 'hold' && answered + chunk.length > fault.bytes) {
        forward(upstream, client, chunk.subarray(0, Math.max(0, fault.bytes - answered)));
        // What comes from here on is thrown away: the connection will be cut.
        answered = Math.max(answered, fault.bytes);
        upstream.pause();
        return;
      }
      answered += chunk.length;
      forward(upstream, client, chunk);
    });
    const endLater = (from: Socket, to: Socket): void => {
      if (fault.kind !== 'blackhole') lanes.get(from)?.(() => to.end());
    };
    client.on('end', () => endLater(client, upstream));
    upstream.on('end', () => endLater(upstream, client));
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
  const { port } = server.address() as AddressInfo;
  const close = owned(`the proxy at port ${port}`, async () => {
    for (const timer of timers) clearTimeout(timer);
    cut();
    server.close();
    await once(server, 'close');
  });
  return {
    port,
    get connections() {
      return open.size;
    },
    get accepted() {
      return accepted;
    },
    cutAfterBytes: (bytes, times = Infinity) => {
      fault = { kind: 'cut', bytes, left: times };
    },
    holdAfterBytes: (bytes) => {
      fault = { kind: 'hold', bytes };
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
    answer: (reply) => {
      fault = { kind: 'answer', reply };
    },
    refuse: () => {
      fault = { kind: 'refuse' };
      cut();
    },
    cut,
    heal: () => {
      fault = { kind: 'none' };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const METHOD = /^(GET|PUT|POST|HEAD|DELETE) /;

/** Head and as much body as the head promises; a body of unknown length counts as whole at once. */
function isWhole(request: Buffer): boolean {
  const end = request.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(request.toString('latin1', 0, end));
  return request.length >= end + 4 + Number(length?.[1] ?? 0);
}

function httpAnswer(
  { status, body }: { readonly status: number; readonly body: string },
  contentType: string,
  connection: string,
): string {
  const head = `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: ${connection}`;
  return `HTTP/1.1 ${status} Fault\r\n${head}\r\n\r\n${body}`;
}
