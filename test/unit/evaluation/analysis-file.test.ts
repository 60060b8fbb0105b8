import { expect, test } from '@jest/globals';
import { parseAnalysisFile } from '../../../src/evaluation/analysis-file.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';

const read = (analysis: object) => parseAnalysisFile(JSON.stringify(analysis), 'analysis.json');

test('an analysis is read as it was written, with missing footage in it or without', () => {
  const hole = { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came', fromSeconds: 1 } as const;
  const degraded = [
    { ...hole, toSeconds: 2 },
    { ...hole, toSeconds: null },
  ] as const;
  for (const analysis of [sampleAnalysis(), sampleAnalysis({ degraded })]) expect(read(analysis)).toEqual(analysis);
});

test('one that was written before anything could be missing is read, too', () => {
  const { degraded: _, ...earlier } = sampleAnalysis();
  expect(read(earlier)).toEqual(earlier);
});

test('what is none is refused with what is wrong', () => {
  expect(() => read({ ...sampleAnalysis(), version: 2 })).toThrow('analysis file analysis.json is not valid: version');
  expect(() => parseAnalysisFile('{', 'analysis.json')).toThrow('analysis file analysis.json is not JSON');
});
