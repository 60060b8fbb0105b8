import { describe, expect, test } from '@jest/globals';
import { audit, type Evidence } from '../../chaos/audit.ts';
import type { VideoState } from '../../chaos/ledger.ts';

const RESULT = { frames: 3, tracks: 1, observations: 6, overlaps: 0, scenes: 1, events: ['falling of 1 in frame 0'] };
const FAILURE = { code: 'NOT_A_VIDEO', class: 'permanent', reason: 'ffprobe cannot read it' };
const VIDEO: VideoState = {
  key: 'good.mp4',
  status: 'completed',
  runs: 2,
  completedRuns: 1,
  failure: null,
  result: RESULT,
  highlights: ['highlights/good.mp4/0.0s_falling.jpg'],
};
const REJECTED: VideoState = {
  ...VIDEO,
  key: 'bad.mp4',
  status: 'failed',
  completedRuns: 0,
  failure: FAILURE,
  highlights: [],
};
const LETTER = { messageId: 'm1', failure: FAILURE, receives: 2, missing: [] };

/** A run in which everything went well, with one thing changed. */
function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    workload: {
      good: new Map([['good.mp4', 'fall']]),
      bad: new Map([['m1', { messageId: 'm1', key: 'bad.mp4', code: 'NOT_A_VIDEO', hasRun: true }]]),
      unsent: 0,
      sendNext: async () => {},
      duplicate: async () => {},
    },
    expected: new Map([['fall', RESULT]]),
    videos: [VIDEO, REJECTED],
    errors: [{ messageId: null, key: 'bad.mp4', ...FAILURE }],
    deadLetters: [LETTER],
    highlights: VIDEO.highlights,
    ...change,
  };
}

const NOTHING = { lost: 0, doubled: 0, stray: 0, unrecorded: 0, images: 0 };

function counts(change?: Partial<Evidence>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(audit(evidence(change))).map(([kind, texts]: [string, string[]]) => [kind, texts.length]),
  );
}

test('a clean run has no findings, and a second copy of a dead letter is none', () => {
  expect(counts()).toEqual(NOTHING);
  expect(counts({ deadLetters: [LETTER, LETTER] })).toEqual(NOTHING);
});

describe('each thing that can go wrong is found', () => {
  const cases: readonly (readonly [string, Partial<Evidence>, Partial<typeof NOTHING>])[] = [
    ['a video without a row', { videos: [REJECTED], highlights: [] }, { lost: 1 }],
    ['a video that is still processing', { videos: [{ ...VIDEO, status: 'processing' }, REJECTED] }, { lost: 1 }],
    [
      'rows that are missing',
      { videos: [{ ...VIDEO, result: { ...RESULT, observations: 5 } }, REJECTED] },
      { lost: 1 },
    ],
    [
      'rows that are there twice',
      { videos: [{ ...VIDEO, result: { ...RESULT, observations: 12 } }, REJECTED] },
      { doubled: 1 },
    ],
    [
      'another event',
      { videos: [{ ...VIDEO, result: { ...RESULT, events: ['theft of 1 in frame 0'] } }, REJECTED] },
      { lost: 1 },
    ],
    ['two completed runs', { videos: [{ ...VIDEO, completedRuns: 2 }, REJECTED] }, { doubled: 1 }],
    ['two rows of one video', { videos: [VIDEO, VIDEO, REJECTED] }, { doubled: 1 }],
    ['a bad message without a copy', { deadLetters: [] }, { lost: 1 }],
    [
      'a copy with another code',
      { deadLetters: [{ ...LETTER, failure: { ...FAILURE, code: 'UNKNOWN' } }] },
      { lost: 1 },
    ],
    ['a copy without its facts', { deadLetters: [{ ...LETTER, missing: ['correlation_id'] }] }, { lost: 1 }],
    [
      'a message that the queue moved',
      { deadLetters: [LETTER, { ...LETTER, messageId: 'm2', failure: null }] },
      { stray: 1 },
    ],
    ['a good message that was rejected', { deadLetters: [LETTER, { ...LETTER, messageId: 'm2' }] }, { stray: 1 }],
    ['a failure without an error event', { errors: [] }, { unrecorded: 1 }],
    [
      'an error event with another reason',
      { errors: [{ messageId: 'm1', key: null, ...FAILURE, reason: 'else' }] },
      { unrecorded: 1 },
    ],
    [
      'a failed run that was not recorded',
      { videos: [VIDEO, { ...REJECTED, status: 'processing', failure: null }] },
      { unrecorded: 1 },
    ],
    ['an image that is missing', { highlights: [] }, { images: 1 }],
    ['an image without a row', { highlights: [...VIDEO.highlights, 'highlights/x/1.0s_theft.jpg'] }, { images: 1 }],
  ];
  test.each(cases)('%s', (_name, change, found) => {
    expect(counts(change)).toEqual({ ...NOTHING, ...found });
  });
});
