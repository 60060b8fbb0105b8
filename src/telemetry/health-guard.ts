import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { isLoopback } from './loopback.ts';

export interface GuardOptions {
  /** Null: whoever reaches the port is let in, which only programs of this host may. */
  readonly token: string | null;
  /** The address that is listened on. */
  readonly host: string;
  /** The name of this host. */
  readonly ownName: string;
}

/**
 * What a request may see: `all`; `bare`, which is whether the answer is yes or no, and is what a load balancer or kubelet needs; or nothing,
 * since it names a host that this is not.
 */
export type Access = 'all' | 'bare' | 'misdirected';

export type HealthGuard = (request: Pick<IncomingMessage, 'headers' | 'headersDistinct'>) => Access;

/**
 * With a token, whoever says it sees all, under any name of this host; everybody else sees the bare answers. Without one the port is of
 * this host alone, and so is every program that reaches it, except for a web page in a browser here that was served under a name which
 * now resolves to this host: the browser sends that name as `Host`.
 */
export function healthGuard({ token, host, ownName }: GuardOptions): HealthGuard {
  const isOwn = (name: string): boolean =>
    name !== '' && (isLoopback(name) || [host, ownName].some((own) => own.toLowerCase() === name.toLowerCase()));
  if (token !== null) {
    const expected = digest(token);
    return ({ headers }) => {
      const said = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
      // Digests have one length, and their comparison one duration: neither tells how much of the token was right.
      return timingSafeEqual(digest(said), expected) ? 'all' : 'bare';
    };
  }
  return ({ headersDistinct }) => {
    // No browser leaves it out; HTTP/1.0 checks of load balancers do.
    const names = headersDistinct['host'] ?? [];
    return names.length <= 1 && names.every((name) => isOwn(hostOf(name))) ? 'all' : 'misdirected';
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `name`, `name:port`, `[address]` or `[address]:port`; what has another form is no name of this host. */
function hostOf(header: string): string {
  const address = /^\[([^\]]*)\](?::\d*)?$/.exec(header)?.[1];
  if (address !== undefined) return isIPv6(address) ? address : '';
  return /^([^:]+)(?::\d*)?$/.exec(header)?.[1]?.replace(/\.$/, '') ?? '';
}
