import { withAviFrames } from './avi-chunks.ts';
import { matrixOf, withMatrix } from './mp4-boxes.ts';
import { turnedCorners } from './picture.ts';
import { MJPEG, recorded, type Recording } from './recordings.ts';
import type { FootageFile, RightValues } from './right-values.ts';

const WIDE: Recording = { width: 96, height: 64, frames: 30 };
const UPRIGHT: RightValues = {
  width: 96,
  height: 64,
  frames: 5,
  firstT: 0,
  durationSeconds: 3,
  numbersFrom: 0,
  corners: turnedCorners(0, false),
  missing: [],
};
const ON_ITS_SIDE: RightValues = { ...UPRIGHT, width: 64, height: 96, corners: turnedCorners(90, false) };
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:pools=none:frame-threads=1'];

/** A JPEG whose pixels are twice as wide as they are high. */
function withDensity(jpeg: Buffer): Buffer {
  const density = Buffer.from('ffe000104a46494600010100000200010000', 'hex');
  return Buffer.concat([jpeg.subarray(0, 2), density, jpeg.subarray(2)]);
}

/** Name, what is odd, codec, right values. */
const CODECS: readonly (readonly [string, string, readonly string[], RightValues])[] = [
  ['hevc.mp4', 'H.265 of a phone, turned', [...HEVC, '-tag:v', 'hvc1'], ON_ITS_SIDE],
  ['hevc-10-bit.mp4', 'H.265 of ten bits, turned', [...HEVC, '-pix_fmt', 'yuv420p10le'], ON_ITS_SIDE],
  ['mpeg4.mp4', 'MPEG-4 of an old camera, turned', ['-c:v', 'mpeg4', '-q:v', '2'], ON_ITS_SIDE],
  ['full-range.mp4', 'H.264 in full range, turned', ['-c:v', 'libx264', '-pix_fmt', 'yuvj420p'], ON_ITS_SIDE],
  ['lossless-rgb.mp4', 'H.264 of red, green and blue, turned', ['-c:v', 'libx264rgb'], ON_ITS_SIDE],
  ['pictures.mov', 'a picture in PNG after the other, turned', ['-c:v', 'png', '-pix_fmt', 'rgb24'], ON_ITS_SIDE],
];

/** Of codecs and pixels of many kinds. */
export const CODEC_FILES: readonly FootageFile[] = [
  ...CODECS.map(([name, why, codec, right]) => ({
    name,
    isOnlyDeep: name === 'hevc.mp4',
    why,
    right,
    make: async (ground: Parameters<FootageFile['make']>[0]) => {
      const file = await recorded(ground, name, { ...WIDE, codec });
      return withMatrix(file, matrixOf(90, false));
    },
  })),
  {
    name: 'density.avi',
    why: 'each JPEG says that its pixels are not square',
    right: { ...UPRIGHT, width: 192 },
    make: async (ground) => withAviFrames(await recorded(ground, 'wide.avi', { ...WIDE, codec: MJPEG }), withDensity),
  },
  {
    name: 'alpha.webm',
    why: 'pictures that let something through',
    right: UPRIGHT,
    make: (ground) =>
      recorded(ground, 'alpha.webm', {
        ...WIDE,
        codec: ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-deadline', 'realtime', '-cpu-used', '8', '-crf', '20'],
      }),
  },
  {
    name: 'lossless.mkv',
    why: 'a codec of archives',
    right: UPRIGHT,
    make: (ground) => recorded(ground, 'lossless.mkv', { ...WIDE, codec: ['-c:v', 'ffv1'] }),
  },
];
