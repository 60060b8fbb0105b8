import { expect, test } from '@jest/globals';
import { childrenSeconds, highestResident, measureRun } from '../../bench/process-cost.ts';

test('the time of the children is read from behind a name with brackets', () => {
  const fields = ['S', ...Array.from({ length: 10 }, () => '1'), '250', '75', '1234', '66', '20', '0'];
  expect(childrenSeconds(`42 (a (odd) name) ${fields.join(' ')}`)).toBe(13);
});

test('the highest resident set is in MiB, and none where the process has ended', () => {
  expect(highestResident('Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 10 kB\n')).toBe(20);
  expect(highestResident('')).toBeNaN();
});

test('what a program starts and waits for counts, and what it prints is kept', async () => {
  const busy = 'while (process.cpuUsage().user < 300000);';
  const started = `require('node:child_process').execFileSync(process.execPath, ['-e', '${busy}']); console.log('done')`;
  const run = await measureRun(process.execPath, ['-e', started]);
  expect(run.stdout).toBe('done\n');
  expect(run.cpuSeconds).toBeGreaterThan(0.25);
  expect(run.peakMiB).toBeGreaterThan(10);
  expect(run.treePeakMiB).toBeGreaterThan(run.peakMiB);
});

test('a program that fails is told with its words', async () => {
  await expect(measureRun(process.execPath, ['-e', 'console.error("no such thing"); process.exit(3)'])).rejects.toThrow(
    /ended with 3: no such thing/,
  );
});
