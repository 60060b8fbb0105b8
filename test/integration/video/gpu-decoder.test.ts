import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { checkGpuDecoder } from '../../../src/video/check/check-gpu-decoder.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { mediaFolder, testSource } from '../../harness/media.ts';
import { OwnTools } from '../../harness/own-tools.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
let folder: TemporaryFolder;
let own: OwnTools;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  own = await OwnTools.make(folder.at('tools'));
  const { FFMPEG_PATH = null, FFPROBE_PATH = null } = own.env;
  tools = await locateFfmpeg({ ffmpegPath: FFMPEG_PATH, ffprobePath: FFPROBE_PATH });
});
beforeEach(() => rm(folder.at('notes'), { recursive: true, force: true }));
afterAll(() => folder.remove());

/** Notes something in the only way that a tool has: it may write no byte into a file. */
const note = (name: string): string => `/bin/mkdir -p ${folder.at('notes')}; : > ${folder.at('notes')}/${name}`;
const noted = async (): Promise<string[]> =>
  (await readdir(folder.at('notes')).catch(() => [])).toSorted((a, b) => a.localeCompare(b));

/** Takes away what only a GPU understands, so that the processor does the work. */
const BY_PROCESSOR = `
n=$#
while [ $n -gt 0 ]; do
  a=$1; shift; n=$((n - 1))
  case "$a" in
    -hwaccel | -hwaccel_device | -hwaccel_output_format) shift; n=$((n - 1)) ;;
    hwdownload,*) set -- "$@" "\${a#hwdownload,}" ;;
    *) set -- "$@" "$a" ;;
  esac
done`;

/** A tool of a host with such a GPU; `work` is what its decoder does. */
const withGpu = (work: string): string => `
case "$*" in
  *-hwaccels*) echo Hardware acceleration methods:; echo cuda; exit 0 ;;
  *"-threads 1 -hwaccel cuda -hwaccel_device 2 "*) ${note('gpu')}; [ "$(ulimit -v)" = unlimited ] && ${note('unlimited')}
${work} ;;
  *) ${note('processor')} ;;
esac`;

const BROKEN = 'echo "[AVHWDeviceContext @ 0x1] [error] Cannot load libcuda.so.1" >&2; exit 1';

describe('the check of a GPU decoder', () => {
  const check = (): Promise<string | null> => checkGpuDecoder(tools, 2, folder.path, never);

  test('passes where it makes the pixels that the processor makes', async () => {
    await own.becomes('ffmpeg', withGpu(BY_PROCESSOR));
    await expect(check()).resolves.toBeNull();
    expect(await noted()).toEqual(['gpu', 'processor', 'unlimited']);
  });

  test.each([
    ['ffmpeg knows no CUDA', 'case "$*" in *-hwaccels*) echo vdpau; exit 0;; esac', /was built without CUDA/],
    ['the driver is absent', () => withGpu(BROKEN), /on GPU 2: .*Cannot load libcuda/],
    ['nothing comes of it', () => withGpu('exit 0'), /does not decode the built-in clip on GPU 2/],
    [
      'the colours are others',
      () => withGpu(`${BY_PROCESSOR}\nffmpeg "$@" | tr "\\000-\\177" "\\001-\\200"; exit 0`),
      /makes other pixels/,
    ],
  ])('tells that %s', async (_name, script, reason) => {
    await own.becomes('ffmpeg', typeof script === 'string' ? script : script());
    await expect(check()).resolves.toMatch(reason);
  });

  test('is cut off by its signal', async () => {
    await own.becomes('ffmpeg', 'exec /bin/sleep 1000');
    const controller = new AbortController();
    const late = checkGpuDecoder(tools, 2, folder.path, controller.signal);
    controller.abort(new Error('late'));
    await expect(late).rejects.toThrow('late');
  });

  test('asks for pictures that are still on the GPU, which the processor cannot give in silence', async () => {
    await own.becomes(
      'ffmpeg',
      withGpu(
        `case "$*" in *"-hwaccel_output_format cuda "*"hwdownload,format=nv12,"*) ${note('held')};; esac; exit 1`,
      ),
    );
    await check();
    expect(await noted()).toContain('held');
  });
});

describe('a video that a GPU decodes', () => {
  async function frames(
    gpu: number | null,
    name = 'video.mp4',
  ): Promise<readonly (readonly [number, number, string])[]> {
    const file = folder.at(name);
    const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, never);
    const found: [number, number, string][] = [];
    for await (const frame of decodeFrames(tools, file, info, { ...SMALL_VIDEO_DECODING, gpu }, never)) {
      found.push([frame.sample, frame.t, Buffer.from(frame.pixels).toString('base64')]);
    }
    return found;
  }

  beforeAll(async () => {
    const encoder = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p'];
    await makeMediaTogether([
      [...testSource({ seconds: 3 }), ...encoder, folder.at('video.mp4')],
      [...testSource({ seconds: 3 }), ...encoder, folder.at('video.ts')],
      [...testSource({ size: '128x96', seconds: 3 }), ...encoder, folder.at('larger.ts')],
    ]);
    await writeFile(
      folder.at('grows.ts'),
      Buffer.concat([await readFile(folder.at('video.ts')), await readFile(folder.at('larger.ts'))]),
    );
  });

  test('is asked for by options of the decoder, without a limit of address space, and turned into planes before RGB', async () => {
    await own.mend();
    const expected = await frames(null);
    const planes = `case "$*" in *,scale=eval=frame,format=yuv420p,scale=*) ${note('planes')};; esac`;
    await own.becomes('ffmpeg', withGpu(`${planes}${BY_PROCESSOR}`));
    expect(await frames(2)).toEqual(expected);
    expect(await noted()).toEqual(['gpu', 'planes', 'unlimited']);
  });

  test('is decoded by the processor where the GPU fails', async () => {
    await own.mend();
    const expected = await frames(null);
    await own.becomes('ffmpeg', withGpu(BROKEN));
    expect(await frames(2)).toEqual(expected);
    expect(await noted()).toEqual(['gpu', 'processor', 'unlimited']);
  });

  test('has one limit of time for all that is tried', async () => {
    await own.mend();
    const file = folder.at('video.mp4');
    const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, never);
    await own.becomes('ffmpeg', withGpu('exec /bin/sleep 1000'));
    const options = { ...SMALL_VIDEO_DECODING, gpu: 2, wallTimeoutMs: 1_500 };
    // What the GPU has used up is nobody's fault but the host's.
    await expect(decodeFrames(tools, file, info, options, never).next()).rejects.toMatchObject({
      code: 'DECODER_INTERRUPTED',
      message: expect.stringContaining('more than 1500 ms'),
    });
  });

  test('is decoded once where its container has no header to go by', async () => {
    await own.mend();
    const expected = await frames(null, 'video.ts');
    await own.becomes('ffmpeg', withGpu(BY_PROCESSOR));
    expect(await frames(2, 'video.ts')).toEqual(expected);
    expect(await noted()).toEqual(['gpu', 'unlimited']);
  });

  test('has the pixels of the processor where its size changes', async () => {
    await own.mend();
    const expected = await frames(null, 'grows.ts');
    // A GPU gives both colours in one plane; each picture comes in its own size.
    const inOnePlane = BY_PROCESSOR.replace(
      '    *) set',
      '    select=*) set -- "$@" "scale=eval=frame,format=nv12,$a" ;;\n    *) set',
    );
    await own.becomes('ffmpeg', withGpu(inOnePlane));
    expect(await frames(2, 'grows.ts')).toEqual(expected);
  });
});
