import { describe, expect, test } from '@jest/globals';
import type { ProbedStream, ProbeReport } from '../../../../src/video/probe/probe-report.ts';
import {
  doubtOf,
  headerLengthOf,
  promiseOf,
  type CountedLength,
  type HeaderLength,
} from '../../../../src/video/probe/promised-length.ts';

const limits = { maxDurationSeconds: 60, maxFrameRate: 120, maxFrames: 1_000 };

/** An MP4 of twelve seconds at 10 frames a second, beside sound that goes on longer. */
const MP4: HeaderLength = {
  container: 'mov,mp4,m4a,3gp,3g2,mj2',
  streamStart: 0,
  streamEnd: 12,
  fileEnd: 20,
  fileStart: 0,
  averageRate: 10,
  nominalRate: 10,
  frames: 120,
  isAlone: false,
};
const MKV: HeaderLength = { ...MP4, container: 'matroska,webm', frames: null };
const TAGLESS: HeaderLength = { ...MKV, streamEnd: null };
const FLV: HeaderLength = { ...TAGLESS, container: 'flv' };
const AVI: HeaderLength = { ...MP4, container: 'avi' };
const TS: HeaderLength = { ...MKV, container: 'mpegts' };

/** The same by its packets. */
const COUNTED: CountedLength = { packets: 120, startSeconds: 0, endSeconds: 12, fileEnd: 20 };
const HALF: CountedLength = { ...COUNTED, packets: 60, endSeconds: 6, fileEnd: 6 };

describe('a header is believed', () => {
  test.each<[string, HeaderLength]>([
    ['that says the length of the stream', MP4],
    ['whose stream begins behind the sound', { ...MP4, streamStart: 5, streamEnd: 17 }],
    ['that counts no frames, in a container that never does', MKV],
    ['that says the length of its only stream', { ...TAGLESS, isAlone: true }],
    ['that says a base rate and no average', { ...MP4, averageRate: null }],
    ['of a recording that begins a little late on its clock', { ...MKV, fileStart: 0.5 }],
  ])('%s', (_what, header) => {
    expect(doubtOf(header, limits)).toBeNull();
  });

  test('for length, rate and frames', () => {
    expect(promiseOf(MP4, null, limits)).toEqual({ durationSeconds: 12, frameRate: 10, frames: 120 });
    expect(promiseOf(MKV, null, limits)).toEqual({ durationSeconds: 12, frameRate: 10, frames: 120 });
  });
});

describe('a header is doubted', () => {
  test.each<[string, HeaderLength]>([
    ['without a length', { ...MP4, streamEnd: null, fileEnd: null }],
    ['that says one length for picture and sound', FLV],
    ['in a container that has none', TS],
    ['without a rate', { ...MP4, averageRate: null, nominalRate: null }],
    ['that gives a time base for a rate', { ...MP4, averageRate: null, nominalRate: 1_000 }],
    ['that says a longer video than file', { ...MP4, fileEnd: 10 }],
    ['that says a length beyond the limit', { ...MP4, streamEnd: 61, fileEnd: 61, frames: 610 }],
    ['that says more frames than are accepted', { ...MP4, frames: 1_001 }],
    ['whose length and rate make more of them', { ...MKV, averageRate: 100 }],
    ['of fragments, which nobody counts', { ...MP4, frames: null }],
    ['whose frames make another length', { ...MP4, streamEnd: 0.4 }],
    ['of a recording that begins in the middle of its clock', { ...MKV, fileStart: 25_200 }],
  ])('%s', (_what, header) => {
    expect(doubtOf(header, limits)).toEqual(expect.any(String));
  });
});

describe('where packets were counted', () => {
  test.each<[string, HeaderLength, CountedLength, number]>([
    ['the header is exact where they agree', { ...MP4, streamEnd: 12.1 }, COUNTED, 12.1],
    ['they say it where it is not', { ...MP4, streamEnd: 0.4 }, COUNTED, 12],
    ['they say it in a container without a header', { ...TS, streamEnd: 11.9 }, COUNTED, 12],
    ['they say it where sound goes on', FLV, COUNTED, 12],
    ['they say it where the header is beyond the limit', { ...MKV, streamEnd: 40_000, fileEnd: 40_000 }, COUNTED, 12],
    ['a file that ends before its header is cut off', FLV, HALF, 20],
    ['a header that a packet explains was taken from a clock gone astray', FLV, { ...HALF, fileEnd: 20 }, 6],
    ['the frames that the header of an AVI counts', { ...AVI, streamEnd: 0.4 }, HALF, 12],
    [
      'the steps that it counts, of which only every second one has a frame',
      { ...AVI, streamEnd: 0.4, averageRate: 20, frames: 240 },
      HALF,
      12,
    ],
    ['other counts may be those that an edit leaves out', { ...MP4, streamEnd: 3 }, HALF, 6],
    ['what an edit leaves is exact', { ...MP4, streamEnd: 6.1 }, HALF, 6.1],
  ])('%s', (_what, header, counted, durationSeconds) => {
    expect(promiseOf(header, counted, limits)).toMatchObject({ durationSeconds, frames: counted.packets });
  });

  test.each<[string, Partial<HeaderLength>, number]>([
    ['the average of the header', { averageRate: 12 }, 12],
    ['its base rate where the average cannot be', { averageRate: 1_000, nominalRate: 10 }, 10],
    ['theirs where neither can be', { averageRate: null, nominalRate: 1_000 }, 10],
    ['theirs where the header is far from it', { averageRate: 100, nominalRate: 100 }, 10],
  ])('the rate is %s', (_what, change, frameRate) => {
    expect(promiseOf({ ...MKV, ...change }, COUNTED, limits)).toMatchObject({ frameRate });
  });

  test('a single picture has a rate', () => {
    const one = { ...COUNTED, packets: 1, endSeconds: 0 };
    expect(promiseOf({ ...MKV, averageRate: null, nominalRate: null }, one, limits).frameRate).toBe(25);
  });
});

describe('the numbers of a header', () => {
  const stream: ProbedStream = { index: 0, avg_frame_rate: '10/1', r_frame_rate: '10/1', start_time: '0.200000' };
  const lengthOf = (change: Partial<ProbedStream>, format: Partial<ProbeReport['format']> = {}): HeaderLength =>
    headerLengthOf(
      {
        streams: [],
        frames: [],
        format: { format_name: 'matroska,webm', nb_streams: 1, start_time: '0.000000', ...format },
      },
      { ...stream, ...change },
    );

  test('a length counts from where its stream begins', () => {
    expect(lengthOf({ duration: '6.000000' }, { format_name: 'flv' })).toMatchObject({
      streamStart: 0.2,
      streamEnd: 6.2,
    });
  });

  test.each([
    ['DURATION', '00:00:06.500000000', '0.000000', 6.5],
    ['DURATION-eng', '01:00:06.000000000', '0.000000', 3606],
    ['DURATION', '07:00:12.000000000', '25200.000000', 12],
    // Of a writer that means a length.
    ['DURATION', '00:00:12.000000000', '25200.000000', 12],
    ['DURATION', 'long', '0.000000', null],
    ['TITLE', '00:00:06.000000000', '0.000000', null],
  ])('the tag %s %s of a file that starts at %s s is an end at %p', (name, value, start, streamEnd) => {
    expect(lengthOf({ tags: { [name]: value } }, { start_time: start })).toMatchObject({ streamEnd });
  });

  test('what is zero, no number or nothing is not told', () => {
    const told = { avg_frame_rate: '0/0', r_frame_rate: '0/1', duration: '0.000000', nb_frames: 'N/A' };
    expect(lengthOf(told, { duration: 'N/A' })).toMatchObject({
      streamEnd: null,
      fileEnd: null,
      averageRate: null,
      nominalRate: null,
      frames: null,
    });
  });
});
