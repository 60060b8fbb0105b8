import { healthGuard, type Access } from '../../../src/telemetry/health-guard.ts';
import { isLoopback } from '../../../src/telemetry/loopback.ts';
import { must, type Target } from '../engine/target.ts';

const TOKEN = 'pl4nted-t0ken-of-32-characters-00';
const OWN = 'worker-1.internal';

/** The header that names the host, and the one with the token, of a request to the health port. */
export const target: Target = {
  covers: ['telemetry/health-guard.ts', 'telemetry/loopback.ts'],
  maxBytes: 1 << 14,
  form: 'text',
  words: ['localhost', '127.0.0.1', '[::1]', ':9090', '::ffff:127.0.0.1', OWN, '.', '@', '\t', 'Bearer ', TOKEN],
  check: (input) => {
    const text = input.toString();
    const open = healthGuard({ token: null, host: '127.0.0.1', ownName: OWN });
    if (hostAccess(open, [text]) !== 'misdirected') {
      // As a browser reads it, which sends no port that there is not: whoever is let in can only be this host.
      const name = URL.parse(`http://${text}/`)
        ?.hostname.replace(/^\[|\]$/g, '')
        .replace(/\.$/, '');
      must(name === undefined || isOwn(name), `${JSON.stringify(text)} is let in`);
    }
    must(hostAccess(open, ['localhost', text]) === 'misdirected', 'a second name is let in');
    const guarded = healthGuard({ token: TOKEN, host: '0.0.0.0', ownName: OWN });
    const access = guarded({ headers: { authorization: text }, headersDistinct: {} });
    must(access === 'bare' || text.includes(TOKEN), 'another token is let in');
  },
};

function hostAccess(guard: ReturnType<typeof healthGuard>, host: string[]): Access {
  return guard({ headers: {}, headersDistinct: { host } });
}

/** A URL has the loopback addresses of IPv4 inside of IPv6 in hexadecimal. */
function isOwn(name: string): boolean {
  return isLoopback(name) || name === OWN || name.startsWith('::ffff:7f');
}
