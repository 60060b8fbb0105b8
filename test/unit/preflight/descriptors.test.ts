import { expect, test } from '@jest/globals';
import { runCheck } from '../../../src/cli/preflight/check.ts';
import {
  type Descriptors,
  descriptorsCheck,
  type DescriptorSettings,
  neededDescriptors,
  parseDescriptorLimit,
} from '../../../src/cli/preflight/descriptors.ts';
import { MOST_HEALTH_CONNECTIONS } from '../../../src/telemetry/health-server.ts';

const NEVER = new AbortController().signal;
const SMALL: DescriptorSettings = {
  videos: 2,
  pipelines: 1,
  device: 'cpu',
  databaseConnections: 5,
  hasHealthPort: true,
};

const checked = (found: Descriptors, settings = SMALL) =>
  runCheck(descriptorsCheck({ descriptors: async () => found }, settings), NEVER);

test('as many as are needed are enough, and one fewer ends the start with what to set', async () => {
  const needed = neededDescriptors(SMALL, 30);
  expect(await checked({ limit: needed, open: 30 })).toMatchObject({ status: 'ok', mayPass: false });
  expect(await checked({ limit: Infinity, open: 30 })).toMatchObject({ status: 'ok' });
  const refused = await checked({ limit: needed - 1, open: 30 });
  expect(refused).toMatchObject({
    status: 'fail',
    detail: `at most ${needed - 1}; this configuration may need ${needed}`,
  });
  expect(refused.fix).toMatch(/LimitNOFILE.*CONCURRENCY/);
});

test('whatever is open at once is counted', () => {
  const needed = neededDescriptors(SMALL, 0);
  const more = (changes: Partial<DescriptorSettings>): number =>
    neededDescriptors({ ...SMALL, ...changes }, 0) - needed;
  expect(more({ videos: 3 })).toBeGreaterThanOrEqual(10);
  expect(more({ pipelines: 2 })).toBeGreaterThanOrEqual(10);
  expect(more({ device: 'cuda' })).toBeGreaterThan(30);
  expect(more({ databaseConnections: 15 })).toBe(10);
  expect(more({ hasHealthPort: false })).toBeLessThan(-MOST_HEALTH_CONNECTIONS);
  // What a launcher left open in the process is the process's for good.
  expect(neededDescriptors(SMALL, 500)).toBeGreaterThan(500);
});

test('a system that tells no limit hinders nothing', async () => {
  const descriptors = (): Promise<never> => Promise.reject(new Error('no /proc'));
  expect(await runCheck(descriptorsCheck({ descriptors }, SMALL), NEVER)).toMatchObject({ status: 'skipped' });
});

test('the limit is the soft one', () => {
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  const line = (soft: string): string =>
    `${head}Max open files            ${soft}                 4096                 files     \n`;
  expect(parseDescriptorLimit(line('256'))).toBe(256);
  expect(parseDescriptorLimit(line('unlimited'))).toBe(Infinity);
  expect(() => parseDescriptorLimit(head)).toThrow('open files');
});
