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
