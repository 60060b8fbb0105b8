import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface VideoFrame {
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Frames of a file by number, as RGB with FFmpeg's default conversion. */
export async function videoFrames(
  file: string,
  indices: readonly number[],
  size: { readonly width: number; readonly height: number },
): Promise<readonly VideoFrame[]> {
  const sorted = indices.toSorted((a, b) => a - b);
  const terms = sorted.map((index) => `eq(n,${index})`);
  // FFmpeg parses a sum by recursion and refuses a deep one: groups keep it flat.
  const groups = Array.from({ length: Math.ceil(terms.length / 20) }, (_, i) => terms.slice(i * 20, i * 20 + 20));
  const select = groups.map((group) => `(${group.join('+')})`).join('+');
  const { stdout } = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-i',
      file,
      '-vf',
      `select='${select}'`,
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-',
    ],
    { encoding: 'buffer', maxBuffer: 1 << 28 },
  );
  const bytes = size.width * size.height * 3;
  const expected = bytes * sorted.length;
  if (stdout.length !== expected) throw new Error(`ffmpeg gave ${stdout.length} bytes, expected ${expected}`);
  return sorted.map((index, i) => ({
    index,
    ...size,
    pixels: Uint8Array.from(stdout.subarray(i * bytes, (i + 1) * bytes)),
  }));
}
