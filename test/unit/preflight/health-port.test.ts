import { expect, test } from '@jest/globals';
import { runCheck } from '../../../src/cli/preflight/check.ts';
import { healthPortChecks } from '../../../src/cli/preflight/health-port.ts';
import { loadConfig } from '../../../src/config/config.ts';

test('a port for other hosts is told where its token is not at hand', async () => {
  const [check] = healthPortChecks(loadConfig({ HEALTH_PORT: '9090', HEALTH_HOST: '0.0.0.0' }).health);
  expect(await runCheck(check!, new AbortController().signal)).toMatchObject({
    name: 'health port',
    status: 'warn',
    detail: expect.stringContaining('HEALTH_HOST is 0.0.0.0, which other hosts can reach'),
    fix: expect.stringContaining('set HEALTH_TOKEN_FILE'),
  });
});

test.each([
  { HEALTH_PORT: '9090' },
  { HEALTH_HOST: '0.0.0.0' },
  { HEALTH_PORT: '9090', HEALTH_HOST: '0.0.0.0', HEALTH_TOKEN: 'x'.repeat(16) },
])('else there is no line: %j', (env) => {
  expect(healthPortChecks(loadConfig(env).health)).toEqual([]);
});
