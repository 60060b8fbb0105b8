import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { passesFor, WHOLE_PASS, type DecodePass } from '../../../src/video/decode/decode-mode.ts';
import { framesInPasses, PassInDoubt, type OpenPass, type PassFootage } from '../../../src/video/decode/passes.ts';
import type { Footage } from '../../../src/video/footage.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const SECONDS = 10;
/** Frames that nobody has released. */
const held = new Set<symbol>();
afterEach(() => {
  expect(held.size).toBe(0);
});
const slot = (t: number): number => Math.floor(t + 1e-6);
const FAST = passesFor({
  mode: 'fast',
  gpu: null,
  container: 'mov,mp4,m4a,3gp,3g2,mj2',
  isTimed: true,
  codec: 'h264',
  pixelFormat: 'yuv420p',
  frameRate: 30,
  framesPerSecond: 1,
});
const WHOLE: PassFootage = { durationSeconds: SECONDS, decodedFrames: 300, missing: [] };

interface Plan {
  /** Times at which the pass has a frame; of each second the first one is a sample. */
  readonly times: readonly number[];
  readonly footage?: PassFootage;
  /** Thrown after the last frame. */
  readonly error?: Error;
}

const every = (step: number, end = SECONDS): number[] =>
  Array.from({ length: Math.ceil(end / step) }, (_, i) => i * step);

function passes(plans: Partial<Record<string, Plan>>): { open: OpenPass; opened: string[]; closed: string[] } {
  const [opened, closed]: string[][] = [[], []];
  async function* open(pass: DecodePass): AsyncGenerator<Frame, PassFootage, undefined> {
    const name = nameOf(pass);
    opened?.push(name);
    const { times, footage = WHOLE, error } = plans[name] ?? { times: every(1 / 30) };
    try {
      let last = -1;
      for (const [index, t] of times.entries()) {
        if (slot(t) <= last) continue;
        last = slot(t);
        const one = Symbol(`${name} at ${t}`);
        held.add(one);
        yield sharedFrame({ index, t, width: 1, height: 1, release: () => held.delete(one) });
      }
      if (error !== undefined) throw error;
      return footage;
    } finally {
      closed?.push(name);
    }
  }
  return { open, opened: opened ?? [], closed: closed ?? [] };
}

const nameOf = ({ leftOut, gpu }: DecodePass): string => (gpu === null ? leftOut : `${leftOut} by the GPU`);

async function collect(
  frames: AsyncGenerator<Frame, Footage, undefined>,
): Promise<{ times: number[]; samples: number[]; footage: Footage }> {
  const [times, samples]: number[][] = [[], []];
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return { times: times ?? [], samples: samples ?? [], footage: next.value };
    times?.push(Number(next.value.t.toFixed(3)));
    samples?.push(next.value.sample);
    next.value.release();
  }
}

const EACH_SECOND = every(1);

test('one pass is handed on as it is', async () => {
  const { open } = passes({ nothing: { times: [5], footage: { ...WHOLE, decodedFrames: 7 } } });
  const { times, footage } = await collect(framesInPasses([WHOLE_PASS], 1, open));
  expect(times).toEqual([5]);
  expect(footage).toMatchObject({ decode: 'exact', decodedFrames: 7 });
});

describe('a fast decoding', () => {
  test('keeps to key frames where there is one in every interval', async () => {
    const { open, opened } = passes({ 'all-but-keys': { times: every(0.9) } });
    const { times, footage } = await collect(framesInPasses(FAST, 1, open));
    expect(opened).toEqual(['all-but-keys']);
    expect(times.map((t) => Math.floor(t))).toEqual(EACH_SECOND);
    expect(footage.decode).toBe('fast');
  });

  test('goes on with less left out where an interval would stay empty, and gives no sample twice', async () => {
    // No key frame from 3 to 5 s, nothing but frames that are left out from 6 to 8 s.
    const keys = every(0.5).filter((t) => t < 3 || t >= 5);
    const referenced = every(0.1).filter((t) => t < 6 || t >= 8);
    const { open, opened, closed } = passes({ 'all-but-keys': { times: keys }, unreferenced: { times: referenced } });
    const { times, samples, footage } = await collect(framesInPasses(FAST, 1, open));
    expect(opened).toEqual(['all-but-keys', 'unreferenced', 'nothing']);
    expect(closed).toEqual(opened);
    expect(times.map((t) => Math.floor(t + 1e-6))).toEqual(EACH_SECOND);
    expect(samples).toEqual(EACH_SECOND);
    expect(footage.decode).toBe('fast');
  });

  test('is exact, and says so, where only that fills the first intervals', async () => {
    const { open } = passes({ 'all-but-keys': { times: [2] }, unreferenced: { times: [1.5] } });
    const { times, footage } = await collect(framesInPasses(FAST, 1, open));
    expect(times).toEqual(EACH_SECOND);
    expect(footage.decode).toBe('exact');
  });

  test.each([
    ['it cannot tell the times', { error: new PassInDoubt() }],
    ['it finds the file damaged', { error: new Failure('VIDEO_TRUNCATED', 'cut') }],
    ['it finds footage missing', { footage: { ...WHOLE, missing: [{ fromSeconds: 1, toSeconds: 2, why: 'hole' }] } }],
  ])('leaves the verdict to one that leaves nothing out where %s', async (_name, plan) => {
    const fast = { times: [0, 1.2, 2.1], ...plan };
    const { open, opened } = passes({
      'all-but-keys': fast,
      unreferenced: fast,
      nothing: { times: every(0.1, 4), error: new Failure('VIDEO_TRUNCATED', 'really') },
    });
    await expect(collect(framesInPasses(FAST, 1, open))).rejects.toThrow('really');
    expect(opened).toHaveLength(3);
  });

  test('ends at once with what no other pass would find better', async () => {
    const { open, opened } = passes({ 'all-but-keys': { times: [0], error: new Failure('VIDEO_TOO_LONG', 'long') } });
    await expect(collect(framesInPasses(FAST, 1, open))).rejects.toThrow('long');
    expect(opened).toHaveLength(1);
  });

  test('ends its pass where the consumer leaves', async () => {
    const { open, closed } = passes({});
    for await (const frame of framesInPasses(FAST, 1, open)) {
      frame.release();
      if (frame.sample === 2) break;
    }
    expect(closed).toEqual(['all-but-keys']);
  });
});

describe('a decoding by a GPU', () => {
  const BY_GPU = passesFor({
    mode: 'exact',
    gpu: 0,
    container: 'mpegts',
    isTimed: true,
    codec: 'hevc',
    pixelFormat: 'yuv420p',
    frameRate: 30,
    framesPerSecond: 1,
  });

  test('may leave intervals without a sample where the footage does', async () => {
    const { open, opened } = passes({ 'nothing by the GPU': { times: [0.5, 7.5] } });
    const { times, footage } = await collect(framesInPasses(BY_GPU, 1, open));
    expect(times).toEqual([0.5, 7.5]);
    expect(opened).toEqual(['nothing by the GPU']);
    expect(footage.decode).toBe('exact');
  });

  test.each(['VIDEO_DECODE_FAILED', 'DECODER_INTERRUPTED'] as const)(
    'goes on by the processor after %s',
    async (code) => {
      const { open } = passes({ 'nothing by the GPU': { times: [0, 1], error: new Failure(code, 'the GPU is gone') } });
      const { times, samples, footage } = await collect(framesInPasses(BY_GPU, 1, open));
      expect(times).toEqual(EACH_SECOND);
      expect(samples).toEqual(EACH_SECOND);
      expect(footage.decode).toBe('exact');
    },
  );
});
