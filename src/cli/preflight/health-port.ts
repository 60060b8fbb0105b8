import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../telemetry/loopback.ts';
import { type Check, OWN_HOST_LIMIT_MS, warn } from './check.ts';

/** A line where a start would lack the token: whoever only looks may not have it, since systemd hands it to the service alone. */
export function healthPortChecks({ port, host, token }: Config['health']): readonly Check[] {
  if (port === 0 || token !== null || isLoopback(host)) return [];
  return [
    {
      name: 'health port',
      timeoutMs: OWN_HOST_LIMIT_MS,
      severity: 'warn',
      fix: 'set HEALTH_HOST=127.0.0.1',
      run: async () =>
        warn(
          `HEALTH_HOST is ${host}, which other hosts can reach, and there is no token here: the daemon does not start without one`,
          'set HEALTH_TOKEN_FILE, or hand the service the credential video-worker.health-token; or set HEALTH_HOST=127.0.0.1',
        ),
    },
  ];
}
