import { describe, expect, test } from '@jest/globals';
import { decoderOptions, passesFor, planeFilters, WHOLE_PASS } from '../../../src/video/decode/decode-mode.ts';

const QUESTION = {
  mode: 'fast',
  gpu: null,
  container: 'mov,mp4,m4a,3gp,3g2,mj2',
  isTimed: true,
  codec: 'h264',
  pixelFormat: 'yuv420p',
  frameRate: 30,
  framesPerSecond: 1.5,
} as const;

describe('the passes over a file', () => {
  test('exact has one, by the processor, with nothing left out', () => {
    expect(passesFor({ ...QUESTION, mode: 'exact' })).toEqual([WHOLE_PASS]);
  });

  test('fast tries the cheapest first and ends with one that leaves nothing out', () => {
    expect(passesFor(QUESTION).map(({ leftOut }) => leftOut)).toEqual(['all-but-keys', 'unreferenced', 'nothing']);
  });

  test.each([
    ['a codec that nobody has measured', { codec: 'vp9' }],
    ['footage with hardly more frames than samples', { frameRate: 5 }],
  ])('%s is decoded whole at once', (_name, change) => {
    expect(passesFor({ ...QUESTION, ...change })).toEqual([WHOLE_PASS]);
  });

  test('a GPU is tried before the processor, which has the last word', () => {
    expect(passesFor({ ...QUESTION, mode: 'exact', gpu: 2 })).toEqual([{ leftOut: 'nothing', gpu: 2 }, WHOLE_PASS]);
    expect(passesFor({ ...QUESTION, gpu: 0 }).map(({ gpu }) => gpu)).toEqual([0, 0, 0, null]);
  });

  test.each([
    ['a codec of another kind', { codec: 'mpeg4' }],
    ['ten bits', { pixelFormat: 'yuv420p10le' }],
    ['more colour', { pixelFormat: 'yuv422p' }],
    ['a format that nobody told', { pixelFormat: null }],
  ])('%s is left to the processor', (_name, change) => {
    expect(passesFor({ ...QUESTION, mode: 'exact', gpu: 2, ...change })).toEqual([WHOLE_PASS]);
  });
});

describe('the options of the decoder', () => {
  test('exact on the processor names the threads and nothing else', () => {
    expect(decoderOptions(WHOLE_PASS, 3)).toEqual(['-threads', '3']);
    expect(planeFilters(WHOLE_PASS, 'yuv420p')).toEqual([]);
  });

  test('what is left out is left out by the decoder', () => {
    expect(decoderOptions({ leftOut: 'unreferenced', gpu: null }, 1)).toEqual([
      '-threads',
      '1',
      '-skip_frame',
      'noref',
    ]);
    expect(decoderOptions({ leftOut: 'all-but-keys', gpu: null }, 1)).toContain('nokey');
  });

  test('a GPU is named, needs no threads, and gives planes', () => {
    const pass = { leftOut: 'nothing', gpu: 1 } as const;
    expect(decoderOptions(pass, 8)).toEqual(['-threads', '1', '-hwaccel', 'cuda', '-hwaccel_device', '1']);
    expect(planeFilters(pass, 'yuvj420p')).toEqual(['scale=eval=frame', 'format=yuvj420p']);
  });
});
