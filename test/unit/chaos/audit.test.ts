import { describe, expect, test } from '@jest/globals';
import { derivedVideoId } from '../../../src/persistence/identity.ts';
import { audit, type Evidence } from '../../chaos/audit.ts';
import type { VideoState } from '../../chaos/ledger.ts';
import type { ResultSet, Row, Table } from '../../chaos/result-set.ts';

const OBSERVATION = { frame_index: 0, track: 1, class: 'person', x1: 0.25, age: 31.5, gender: 'female', zone: 'left' };
const EVENT = {
  frame_index: 0,
  track: 1,
  type: 'falling',
  text: 'A woman falls.',
  highlight_key: 'highlights/VIDEO/0.0s_falling.jpg',
};
const RESULT: ResultSet = {
  video: [{ frames: 3, width: 640 }],
  person_tracks: [{ track: 1, age: 31.5 }],
  observations: [OBSERVATION, { ...OBSERVATION, frame_index: 1, orientation: 90 }],
  person_overlaps: [],
  action_events: [EVENT],
  scenes: [{ frame_index: 0, text: 'One person.' }],
};
const FAILURE = { code: 'NOT_A_VIDEO', class: 'permanent', reason: 'ffprobe cannot read it' };
const VIDEO: VideoState = {
  key: 'good.mp4',
  etag: 'e1',
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
  etag: 'b1',
  status: 'failed',
  completedRuns: 0,
  failure: FAILURE,
  highlights: [],
};
const LETTER = { messageId: 'm1', failure: FAILURE, receives: 2, missing: [] };
const IDS = [
  { id: 'good.mp4', key: 'good.mp4', etag: 'e1' },
  { id: 'other', key: 'good.mp4', etag: 'e1' },
  { id: 'bad.mp4', key: 'bad.mp4', etag: 'b1' },
];
const GOOD = new Map([['good.mp4', [{ clip: 'fall', etag: 'e1' }]]]);
const BAD = new Map([['m1', { messageId: 'm1', key: 'bad.mp4', code: 'NOT_A_VIDEO' as const, hasRun: true }]]);
const GIVEN = new Map([
  ['good.mp4', { key: 'good.mp4', content: 0 }],
  ['other', { key: 'good.mp4', content: 0 }],
]);
const WORKLOAD: Evidence['workload'] = { good: GOOD, bad: BAD, ids: GIVEN };

/** A run in which everything went well, with one thing changed. */
function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    bucket: 'videos',
    workload: WORKLOAD,
    expected: new Map([['fall', RESULT]]),
    videos: [VIDEO, REJECTED],
    ids: IDS,
    errors: [{ messageId: null, key: 'bad.mp4', ...FAILURE }],
    deadLetters: [LETTER],
    highlights: VIDEO.highlights,
    receives: { burnt: [] },
    ...change,
  };
}

const NOTHING = { lost: 0, doubled: 0, unknownIds: 0, burnt: 0, stray: 0, unrecorded: 0, images: 0 };

function counts(change?: Partial<Evidence>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(audit(evidence(change))).map(([kind, texts]: [string, string[]]) => [kind, texts.length]),
  );
}

/** The good video with other rows in one table. */
function rows(table: Table, ...changed: readonly Row[]): Partial<Evidence> {
  return { videos: [{ ...VIDEO, result: { ...RESULT, [table]: changed } }, REJECTED] };
}

test('a clean run has no findings, and a second copy of a dead letter is none', () => {
  expect(counts()).toEqual(NOTHING);
  expect(counts({ deadLetters: [LETTER, LETTER] })).toEqual(NOTHING);
});

test('the order in which rows were stored makes no difference', () => {
  expect(counts(rows('observations', ...RESULT.observations.toReversed()))).toEqual(NOTHING);
});

describe('each thing that can go wrong is found', () => {
  const [first, second] = [OBSERVATION, { ...OBSERVATION, frame_index: 1, orientation: 90 }];
  const cases: readonly (readonly [string, Partial<Evidence>, Partial<typeof NOTHING>])[] = [
    ['a video without a row', { videos: [REJECTED], highlights: [] }, { lost: 1 }],
    ['a video that is still processing', { videos: [{ ...VIDEO, status: 'processing' }, REJECTED] }, { lost: 2 }],
    [
      'a request that still waits',
      { videos: [VIDEO, REJECTED, { ...VIDEO, etag: null, status: 'pending' }] },
      { lost: 1 },
    ],
    ['rows that are missing', rows('observations', first), { lost: 1 }],
    ['rows that are there twice', rows('observations', first, first, second), { doubled: 1 }],
    ['a box that moved', rows('observations', { ...first, x1: 0.2500001 }, second), { lost: 1 }],
    ['an age that changed', rows('person_tracks', { track: 1, age: 31.6 }), { lost: 1 }],
    ['a gender that changed', rows('observations', { ...first, gender: 'male' }, second), { lost: 1 }],
    ['an orientation that is missing', rows('observations', first, { ...second, orientation: null }), { lost: 1 }],
    ['another zone', rows('observations', { ...first, zone: 'right' }, second), { lost: 1 }],
    ['another text', rows('action_events', { ...EVENT, text: 'A man falls.' }), { lost: 1 }],
    ['another scene', rows('scenes', { frame_index: 0, text: 'Nobody.' }), { lost: 1 }],
    ['an event of another type', rows('action_events', { ...EVENT, type: 'theft' }), { lost: 1, doubled: 1 }],
    ['an event without its image', rows('action_events', { ...EVENT, highlight_key: null }), { lost: 1 }],
    ['fewer frames', rows('video', { frames: 2, width: 640 }), { lost: 1 }],
    ['two completed runs', { videos: [{ ...VIDEO, completedRuns: 2 }, REJECTED] }, { doubled: 1 }],
    ['two rows of one video', { videos: [VIDEO, VIDEO, REJECTED] }, { doubled: 1 }],
    ['an id that is not known', { ids: IDS.filter(({ id }) => id !== 'other') }, { unknownIds: 1 }],
    ['an id of a bad message that is not known', { ids: IDS.slice(0, 2) }, { unknownIds: 1 }],
    ['an id of another video', { ids: IDS.map((id) => ({ ...id, key: 'bad.mp4' })) }, { unknownIds: 2 }],
    [
      'a burnt receive',
      { receives: { burnt: [{ messageId: 'm2', receive: 1, holders: ['w1'], seconds: 30 }] } },
      { burnt: 1 },
    ],
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
      { videos: [VIDEO, { ...REJECTED, status: 'pending', failure: null }] },
      { unrecorded: 1 },
    ],
    ['an image that is missing', { highlights: [] }, { images: 1 }],
    ['an image without a row', { highlights: [...VIDEO.highlights, 'highlights/x/1.0s_theft.jpg'] }, { images: 1 }],
  ];
  test.each(cases)('%s', (_name, change, found) => {
    expect(counts(change)).toEqual({ ...NOTHING, ...found });
  });
});

test('a difference names the video, the row and the column', () => {
  const { lost } = audit(evidence(rows('person_tracks', { track: 1, age: 31.6 })));
  expect(lost).toEqual(['good.mp4: person_tracks (track 1): age 31.6, undisturbed 31.5']);
});

describe('a key that was uploaded again', () => {
  const newer: VideoState = { ...VIDEO, etag: 'e2' };
  const contents = new Map([
    [
      'good.mp4',
      [
        { clip: 'fall', etag: 'e1' },
        { clip: 'fall', etag: 'e2' },
      ],
    ],
  ]);
  const ids = IDS.map((id) => (id.id === 'good.mp4' ? { ...id, etag: 'e2' } : id));
  const given = new Map([...GIVEN, ['good.mp4', { key: 'good.mp4', content: 1 }]]);
  const again = (change: Partial<Evidence> = {}): Partial<Evidence> => ({
    workload: { good: contents, bad: BAD, ids: given },
    ids,
    videos: [VIDEO, newer, REJECTED],
    ...change,
  });

  test('needs a result of its newest content, and none of the one before', () => {
    expect(counts(again())).toEqual(NOTHING);
    expect(counts(again({ ids: ids.map((id) => ({ ...id, etag: id.etag === 'e1' ? 'e2' : id.etag })) }))).toEqual(
      NOTHING,
    );
    expect(counts(again({ videos: [newer, REJECTED] }))).toEqual(NOTHING);
    expect(counts(again({ videos: [VIDEO, REJECTED] }))).toEqual({ ...NOTHING, lost: 1 });
  });

  /** Of the content before the newest, which is another clip. */
  const former = 'highlights/good.mp4/1.0s_theft.jpg';
  const theft = { ...RESULT, action_events: [{ ...EVENT, highlight_key: 'highlights/VIDEO/1.0s_theft.jpg' }] };
  const replaced = new Map([
    [
      'good.mp4',
      [
        { clip: 'theft', etag: 'e1' },
        { clip: 'fall', etag: 'e2' },
      ],
    ],
  ]);
  const ofReplaced = (change: Partial<Evidence> = {}): Partial<Evidence> =>
    again({
      workload: { good: replaced, bad: BAD, ids: given },
      expected: new Map([
        ['fall', RESULT],
        ['theft', theft],
      ]),
      videos: [newer, REJECTED],
      highlights: [...VIDEO.highlights, former],
      ...change,
    });

  test('may keep an image of a content that never got a result, and no other', () => {
    expect(counts(ofReplaced())).toEqual(NOTHING);
    const highlights = [...VIDEO.highlights, 'highlights/good.mp4/2.0s_theft.jpg'];
    expect(counts(ofReplaced({ highlights }))).toEqual({ ...NOTHING, images: 1 });
  });

  test('may have an image of a former run under the id that was made for the object', () => {
    const withImage = (file: string, etag = 'e2'): Partial<Evidence> => {
      const id = derivedVideoId({ bucket: 'videos', key: 'good.mp4', versionId: null, etag });
      return ofReplaced({ highlights: [...VIDEO.highlights, `highlights/${id}/${file}`] });
    };
    expect(counts(withImage('0.0s_falling.jpg'))).toEqual(NOTHING);
    expect(counts(withImage('0.0s_falling.jpg', '"e2"'))).toEqual(NOTHING);
    expect(counts(withImage('0.0s_falling.jpg', 'e3'))).toEqual({ ...NOTHING, images: 1 });
    expect(counts(withImage('1.0s_theft.jpg'))).toEqual({ ...NOTHING, images: 1 });
    // Where no message gave an id, every run has its images there.
    const unnamed = { good: replaced, bad: BAD, ids: new Map() };
    expect(audit(evidence({ ...withImage('0.0s_falling.jpg'), workload: unnamed })).images).toHaveLength(1);
  });

  test('may keep none of a content that got its result', () => {
    const videos = [{ ...VIDEO, result: theft, highlights: [] }, newer, REJECTED];
    expect(counts(ofReplaced({ videos }))).toEqual({ ...NOTHING, images: 1 });
  });

  test('may keep it also where the same content got its result under another key', () => {
    const other = { ...VIDEO, key: 'other.mp4', result: theft, highlights: ['highlights/other.mp4/1.0s_theft.jpg'] };
    const good = new Map([...replaced, ['other.mp4', [{ clip: 'theft', etag: 'e1' }]]]);
    const highlights = [...VIDEO.highlights, ...other.highlights, former];
    const videos = [newer, other, REJECTED];
    expect(counts(ofReplaced({ workload: { good, bad: BAD, ids: given }, videos, highlights }))).toEqual(NOTHING);
  });

  test('needs its id to mean the content that its newest message was about', () => {
    expect(counts(again({ ids: IDS }))).toEqual({ ...NOTHING, unknownIds: 1 });
  });
});
