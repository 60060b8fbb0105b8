import { expect, test } from '@jest/globals';
import { runSoak } from '../../soak/soak.ts';

/**
 * The worker is a process of its own; so are the queue, the store and the database. `npm run soak` has twice as many jobs, and with
 * `--real` ffmpeg for every one of them; here its answers are replayed.
 */
test('a thousand short jobs in one process leave memory, handles and listeners as they were', async () => {
  const report = await runSoak({ jobs: 1_000, real: false, leak: false });
  expect(report.problems).toEqual([]);
  expect(report.leftovers).toEqual([]);
  expect(report).toMatchObject({ ok: true, completed: 1_000, deadLettered: 300 });
  const last = report.readings.at(-1)?.counts;
  expect(last).toMatchObject({ 'objects Lease': 0, 'objects MessageRun': 0, 'listeners of the root signal': 0 });
}, 600_000);
