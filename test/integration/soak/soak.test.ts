import { expect, test } from '@jest/globals';
import { atDepth } from '../../harness/depth.ts';
import { runSoak } from '../../soak/soak.ts';

/**
 * The worker is a process of its own; so are the queue, the store and the database. `npm run soak` has 2,000 jobs, and with `--real`
 * ffmpeg for every one of them; here its answers are replayed. Of 300 each tenth still has every kind of message, thrice.
 */
const JOBS = atDepth(300, 1_000);

test('hundreds of short jobs in one process leave memory, handles and listeners as they were', async () => {
  const report = await runSoak({ jobs: JOBS, real: false, leak: false });
  expect(report.problems).toEqual([]);
  expect(report.leftovers).toEqual([]);
  expect(report).toMatchObject({ ok: true, completed: JOBS, deadLettered: 0.3 * JOBS });
  const last = report.readings.at(-1)?.counts;
  expect(last).toMatchObject({ 'objects Lease': 0, 'objects MessageRun': 0, 'listeners of the root signal': 0 });
}, 600_000);
