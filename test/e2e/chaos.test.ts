import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../scripts/chaos/run.ts', import.meta.url));

/** Runs a short chaos run in processes of its own and answers with the last line that it wrote. */
function chaos(args: readonly string[]): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [SCRIPT, ...args, '--json'], { timeout: 110_000 }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      // A run with findings ends with status 1 and still has its report.
      if (last.startsWith('{')) resolve(JSON.parse(last) as Record<string, unknown>);
      else reject(new Error(`no report: ${stderr}`, { cause: error }));
    });
  });
}

test('workers killed, frozen, stopped and cut off lose no video, double none and leave nothing behind', async () => {
  const report = await chaos(['--seed', '7', '--workers', '3', '--jobs', '16', '--faults', '8']);
  expect(report['problems']).toEqual([]);
  expect(report).toMatchObject({ ok: true, jobs: 16, lost: 0, doubled: 0 });
  expect(Object.values(report['leftovers'] as Record<string, number>)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(Object.keys(report['faults'] as Record<string, number>)).toHaveLength(8);
}, 120_000);
