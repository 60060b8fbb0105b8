import { expect, test } from '@jest/globals';
import { runSoak } from '../../soak/soak.ts';

/**
 * The worker is a process of its own; so are the queue, the store and the database. `npm run soak -- --real` runs ffmpeg for
 * every job, here its answers are replayed.
 */
test('two thousand short jobs in one process leave memory, handles and listeners as they were', async () => {
  const report = await runSoak({ jobs: 2_000, real: false, leak: false });
  expect(report.problems).toEqual([]);
  expect(report.leftovers).toEqual([]);
  expect(report).toMatchObject({ ok: true, completed: 2_000, deadLettered: 600 });
  const last = report.readings.at(-1)?.counts;
  expect(last).toMatchObject({ 'objects Lease': 0, 'objects MessageRun': 0, 'listeners of the root signal': 0 });
}, 600_000);
