import { expect, test } from '@jest/globals';
import pino from 'pino';
import { tellMissingFootage } from '../../../src/job/tell-missing-footage.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';

/** What is logged of an analysis, line by line. */
function logged(changes: Parameters<typeof sampleAnalysis>[0]): unknown[] {
  const lines: unknown[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  tellMissingFootage(logger, 'v1', sampleAnalysis(changes));
  return lines;
}

test('missing footage is a warning with its stretches', () => {
  const hole = { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came' } as const;
  const scene = { stage: 'scene', code: 'THROTTLED', message: 'slow down' } as const;
  expect(logged({ degraded: [{ ...hole, fromSeconds: 1, toSeconds: 2.5 }, scene] })).toEqual([
    expect.objectContaining({
      level: 40,
      videoId: 'v1',
      code: 'FOOTAGE_MISSING',
      durationSeconds: 2.7,
      stretches: [{ fromSeconds: 1, toSeconds: 2.5, message: 'no frame came' }],
    }),
  ]);
  expect(logged({ degraded: [scene] })).toEqual([]);
});
