import { expect, test } from '@jest/globals';
import { chooseStream, type VideoCandidate } from '../../../../src/video/probe/choose-stream.ts';

const MARKED = { default: 1 };
const RECORDING: VideoCandidate = {
  index: 1,
  codec_name: 'h264',
  width: 1920,
  height: 1080,
  frames: 250,
  disposition: MARKED,
};
const other = (change: Partial<VideoCandidate>): VideoCandidate => ({ ...RECORDING, index: 0, ...change });

test.each<[string, VideoCandidate]>([
  ['a still of the same size', other({ frames: 1 })],
  ['a still that is marked and larger', other({ frames: 1, width: 4000, height: 3000 })],
  ['a stream that no packet came of', other({ frames: 0, width: 4000, height: 3000 })],
  ['a stream that is not marked', other({ disposition: {}, width: 4000, height: 3000 })],
  ['a sub stream', other({ width: 640, height: 360 })],
  ['a stream of which nothing says how large it is', other({ width: 0, height: 0 })],
  ['a stream of a codec that ffmpeg does not know', other({ codec_name: 'unknown', width: 4000, height: 3000 })],
  ['a stream without a codec', other({ codec_name: undefined, width: 4000, height: 3000 })],
  ['cover art', other({ disposition: { ...MARKED, attached_pic: 1 }, width: 4000, height: 3000 })],
  ['thumbnails', other({ disposition: { ...MARKED, timed_thumbnails: 1 }, width: 4000, height: 3000 })],
  ['a still image', other({ disposition: { ...MARKED, still_image: 1 }, width: 4000, height: 3000 })],
])('the recording wins against %s that comes before it', (_what, rival) => {
  expect(chooseStream([rival, RECORDING])).toBe(RECORDING);
  expect(chooseStream([RECORDING, rival])).toBe(RECORDING);
});

test('a marked still loses against a recording that is not marked', () => {
  const recording = { ...RECORDING, disposition: {} };
  expect(chooseStream([other({ frames: 1 }), recording])).toBe(recording);
  expect(chooseStream([other({ frames: 1 }), { ...recording, frames: null }])).toMatchObject({ index: 1 });
});

test('among equals the first of the file wins', () => {
  expect(
    chooseStream([
      { ...RECORDING, index: 4 },
      { ...RECORDING, index: 2 },
    ]),
  ).toMatchObject({ index: 2 });
});

test('what is alone is taken as it is, and nothing is made of nothing', () => {
  const odd = other({ frames: 1, width: 0, height: 0, disposition: {} });
  expect(chooseStream([odd])).toBe(odd);
  expect(chooseStream([])).toBeNull();
  expect(chooseStream([other({ disposition: { attached_pic: 1 } })])).toBeNull();
});
