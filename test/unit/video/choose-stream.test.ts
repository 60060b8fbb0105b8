import { describe, expect, test } from '@jest/globals';
import { chooseStream, type VideoCandidate } from '../../../src/video/probe/choose-stream.ts';

type Told = Partial<Omit<VideoCandidate, 'index'>>;

/** The index of the stream that is chosen of those that are told of. */
function chosen(...streams: readonly Told[]): number | null {
  const candidates = streams.map((told, index) => ({
    index,
    codec_name: 'h264',
    width: 640,
    height: 360,
    frames: null,
    disposition: {},
    ...told,
  }));
  return chooseStream(candidates)?.index ?? null;
}

const cover = { attached_pic: 1 };
const marked = { default: 1 };

describe('the recording among several streams', () => {
  test.each<[string, number | null, readonly Told[]]>([
    ['the only one', 0, [{}]],
    ['none where all are cover art', null, [{ disposition: cover }]],
    ['what is no cover art', 1, [{ disposition: { ...cover, ...marked }, width: 4_000 }, {}]],
    ['what has more than one frame, whatever is marked', 1, [{ frames: 1, disposition: marked }, { frames: 2 }]],
    ['what is marked as default, however small', 1, [{ width: 1_920 }, { disposition: marked }]],
    ['the larger one of two that are marked', 1, [{ disposition: marked }, { disposition: marked, width: 1_280 }]],
    ['the first of two that are alike', 0, [{}, {}]],
    ['what can be decoded, whatever is marked', 1, [{ codec_name: 'unknown', disposition: marked }, { frames: 1 }]],
    ['what has a codec', 1, [{ codec_name: undefined, width: 1_280 }, {}]],
    ['what cannot be decoded, where nothing can', 0, [{ codec_name: 'unknown' }]],
  ])('%s', (_name, index, streams) => expect(chosen(...streams)).toBe(index));
});
