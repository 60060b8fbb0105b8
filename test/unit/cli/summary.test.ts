import { expect, test } from '@jest/globals';
import { summaryLines } from '../../../src/cli/summary.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';

test('what an analysis goes without is said: footage as footage, the rest by its stage', () => {
  const degraded = [
    { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came from 0:01.0', fromSeconds: 1, toSeconds: null },
    { stage: 'scene', code: 'THROTTLED', message: 'slow down' },
  ] as const;
  const lines = summaryLines(sampleAnalysis({ degraded }));
  expect(lines).toContain('  missing footage: no frame came from 0:01.0');
  expect(lines).toContain('  without scene: slow down');
});

test('the summary says what was read and what was left out, and why', () => {
  const lines = summaryLines(sampleAnalysis());
  expect(lines).toContain('  detection        4 read');
  expect(lines).toContain('  ageGender        3 read, 1 left out (other crops promise more, or not readable 1)');
  expect(lines).toContain(
    '  action           3 read (seen first 1, box changed 1, reading unsure 1), 1 left out (the last reading held 1)',
  );
});

test('an analysis from before that was counted has a summary without it', () => {
  const { work: _, ...before } = sampleAnalysis();
  expect(summaryLines(before).join('\n')).not.toContain('left out');
});
