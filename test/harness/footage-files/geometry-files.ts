import { withAviFrames } from './avi-chunks.ts';
import { EBML, element, matroskaOf, blocksOf, uint } from './ebml.ts';
import type { FootageGround } from './footage-ground.ts';
import { EXIF_ORIENTATIONS, withExifOrientation } from './jpeg-exif.ts';
import { box, matrixOf, replaced, u32, withMatrix } from './mp4-boxes.ts';
import { QUARTERS, turnedCorners, type Corners } from './picture.ts';
import { H264, joined, MJPEG, recorded, type Recording } from './recordings.ts';
import type { FootageFile, RightValues } from './right-values.ts';

const WIDE: Recording = { width: 96, height: 64, frames: 30 };
const TURNS = [0, 90, 180, 270] as const;

/** Of three seconds: 5 samples. */
const three = (width: number, height: number, turn = 0, isMirrored = false): RightValues => ({
  width,
  height,
  frames: 5,
  firstT: 0,
  durationSeconds: 3,
  numbersFrom: 0,
  missing: [],
  corners: turnedCorners(turn, isMirrored),
});
const sided = (turn: number, isMirrored = false): RightValues =>
  turn % 180 === 0 ? three(96, 64, turn, isMirrored) : three(64, 96, turn, isMirrored);

/** Each way to tell an orientation is held in every run in some of them, and each orientation in one of the ways. */
const USUAL = {
  matrix: ['90', '180', '0-mirrored', '270-mirrored'],
  message: ['180', '270', '180-mirrored'],
  photo: ['180', '90-mirrored'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
const orientationName = (turn: number, isMirrored: boolean): string => `${turn}${isMirrored ? '-mirrored' : ''}`;
const isRare = (way: keyof typeof USUAL, turn: number, isMirrored: boolean): boolean =>
  !USUAL[way].some((name) => name === orientationName(turn, isMirrored));

const inAllOrientations = <Made>(make: (turn: number, isMirrored: boolean) => Made): Made[] =>
  [false, true].flatMap((isMirrored) => TURNS.map((turn) => make(turn, isMirrored)));

const wide = (ground: FootageGround, name = 'wide.mp4', codec = H264): Promise<Buffer> =>
  recorded(ground, name, { ...WIDE, codec });

const matrices: FootageFile[] = inAllOrientations((turn, isMirrored) => ({
  name: `matrix-${orientationName(turn, isMirrored)}.mp4`,
  isOnlyDeep: isRare('matrix', turn, isMirrored),
  why: "orientation in the track's matrix, as phones write it",
  right: sided(turn, isMirrored),
  make: async (ground) => withMatrix(await wide(ground), matrixOf(turn, isMirrored)),
}));

/** H.264 turns counterclockwise, after it has flipped. */
const orientationFilter = (turn: number, isMirrored: boolean): string[] => [
  '-bsf:v',
  `h264_metadata=display_orientation=insert:rotate=${(360 - turn) % 360}${isMirrored ? ':flip=horizontal' : ''}`,
];

const messages: FootageFile[] = inAllOrientations((turn, isMirrored) => {
  const container = isMirrored ? 'mkv' : turn === 180 ? 'ts' : 'mp4';
  return {
    name: `sei-${orientationName(turn, isMirrored)}.${container}`,
    isOnlyDeep: isRare('message', turn, isMirrored),
    why: 'orientation in the SEI of key frames only',
    right: sided(turn, isMirrored),
    make: async (ground) =>
      await ground.copied(await wide(ground), 'mp4', `sei.${container}`, orientationFilter(turn, isMirrored)),
  };
});

const everyFrame: FootageFile = {
  name: 'sei-every-frame.mp4',
  why: "orientation in each frame's SEI, and each frame is a key frame",
  right: sided(90),
  make: async (ground) => {
    const file = await wide(ground, 'keys.mp4', [...H264, '-g', '1']);
    return await ground.copied(file, 'mp4', 'sei.mp4', orientationFilter(90, false));
  },
};

const photos: FootageFile[] = EXIF_ORIENTATIONS.map(([orientation, turn, isMirrored]) => ({
  name: `exif-${orientation}.avi`,
  isOnlyDeep: isRare('photo', turn, isMirrored),
  why: "orientation in each frame's EXIF only",
  right: sided(turn, isMirrored),
  make: async (ground) =>
    withAviFrames(await wide(ground, 'wide.avi', MJPEG), (frame) => withExifOrientation(frame, orientation)),
}));

const aspects: FootageFile[] = (
  [
    ['2/1', 270, 64, 192],
    ['1/2', 0, 96, 128],
    ['4/3', 0, 128, 64],
    ['8/9', 90, 72, 96],
    ['1/10', 0, 96, 64],
    ['2/1', 0, 192, 64],
    ['2/1', 90, 64, 192],
    ['10/1', 90, 64, 96],
  ] as const
).map(([aspect, turn, width, height], i) => ({
  isOnlyDeep: i > 4,
  name: `aspect-${aspect.replace('/', '-')}${turn === 0 ? '' : `-turned-${turn}`}.mp4`,
  why: 'pixels that are not square, said by the codec and the container; what cannot be is not believed',
  right: three(width, height, turn),
  make: async (ground) => {
    const filter = `h264_metadata=sample_aspect_ratio=${aspect}`;
    const file = await ground.once(`aspect ${aspect}`, async () =>
      ground.copied(await wide(ground), 'mp4', 'aspect.mp4', ['-bsf:v', filter]),
    );
    return withMatrix(file, matrixOf(turn, false));
  },
}));

/** Says of an MP4 how wide its pixels are, where nothing else does. */
const withAspect = (file: Buffer, wide: number, high: number): Buffer =>
  replaced(file, 'moov/trak/mdia/minf/stbl/stsd/avc1', (body) => box('avc1', body, box('pasp', u32(wide, high))));

const containerAspects: FootageFile[] = [
  {
    name: 'aspect-in-pasp-only.mp4',
    why: 'pixels that are not square, said by the container alone',
    right: three(192, 64),
    make: async (ground) => withAspect(await wide(ground), 2, 1),
  },
  {
    name: 'absurd-aspect-in-pasp.mp4',
    why: 'the container says what cannot be',
    right: three(96, 64),
    make: async (ground) => withAspect(await wide(ground), 1, 255),
  },
  {
    name: 'aspect-in-matrix-only.mp4',
    why: 'a matrix that widens the picture',
    right: three(192, 64),
    make: async (ground) => withMatrix(await wide(ground), u32(0x20000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)),
  },
  ...(
    [
      ['display-size.mkv', 192, 64, 0, [192, 64]],
      ['display-size-tall.mkv', 96, 128, 0, [96, 128]],
      ['display-ratio.mkv', 3, 1, 3, [192, 64]],
    ] as const
  ).map(([name, width, height, unit, [right, tall]]) => ({
    name,
    isOnlyDeep: name === 'display-size-tall.mkv',
    why: 'pixels that are not square, said by the container alone',
    right: three(right, tall),
    make: async (ground: FootageGround) => {
      const file = await ground.once('wide mkv', async () => ground.copied(await wide(ground), 'mp4', 'wide.mkv'));
      const size = [element(EBML.displayWidth, uint(width)), element(EBML.displayHeight, uint(height))];
      const video = [...size, element(EBML.displayUnit, uint(unit))];
      return matroskaOf(file, blocksOf(file), { promisedMilliseconds: 3_000, video });
    },
  })),
  {
    name: 'aspect-in-sps-only.ts',
    why: 'pixels that are not square, said by the codec alone',
    right: three(128, 64),
    make: async (ground) =>
      await ground.copied(await wide(ground), 'mp4', 'x.ts', ['-bsf:v', 'h264_metadata=sample_aspect_ratio=4/3']),
  },
  {
    name: 'wide-mpeg2.ts',
    why: 'the picture is 16:9 and its pixels 4:3, as broadcasts are',
    right: { ...three(112, 64), width: [113, 114] },
    make: async (ground) =>
      await recorded(ground, 'x.ts', { ...WIDE, codec: ['-c:v', 'mpeg2video', '-q:v', '3', '-aspect', '16:9'] }),
  },
  {
    name: 'aspect-on-its-side-and-mirrored.mp4',
    why: 'not square, mirrored and turned',
    right: three(64, 192, 90, true),
    make: async (ground) => {
      return withMatrix(withAspect(await wide(ground), 2, 1), matrixOf(90, true));
    },
  },
  ...([90, 180] as const).map((turn) => ({
    name: `odd-size-turned-${turn}.mp4`,
    why: 'sides of an odd number of pixels',
    right: turn === 90 ? three(63, 95, 90) : three(95, 63, 180),
    make: async (ground: FootageGround) => {
      const codec = ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj444p'];
      return withMatrix(
        await recorded(ground, 'odd.mp4', { ...WIDE, width: 95, height: 63, codec }),
        matrixOf(turn, false),
      );
    },
  })),
];

const repeated = [...H264, '-x264-params', 'repeat-headers=1'];
const PIECES = {
  plain: { width: 64, height: 48, codec: repeated },
  large: { width: 128, height: 96, codec: repeated },
  tall: { width: 48, height: 96, codec: repeated },
  full: { width: 64, height: 48, codec: [...repeated, '-pix_fmt', 'yuv444p'] },
  deep: { width: 64, height: 48, codec: [...repeated, '-pix_fmt', 'yuv420p10le'] },
  squeezed: { width: 64, height: 48, codec: [...repeated, '-aspect', '8:3'] },
} as const satisfies Readonly<Record<string, Recording>>;
type PieceName = keyof typeof PIECES;

/** Name, the two halves, container, turn, size; those that each run holds come first. */
const CHANGES: readonly (readonly [string, PieceName, PieceName, string, number, readonly [number, number]])[] = [
  ['grows.mp4', 'plain', 'large', 'mp4', 90, [48, 64]],
  ['shrinks-upright.mkv', 'large', 'plain', 'mkv', 0, [128, 96]],
  ['changes-shape-upright.ts', 'tall', 'plain', 'ts', 0, [48, 96]],
  ['changes-chroma.mp4', 'plain', 'full', 'mp4', 90, [48, 64]],
  ['changes-depth-back.ts', 'deep', 'plain', 'ts', 0, [64, 48]],
  ['changes-aspect.ts', 'plain', 'squeezed', 'ts', 0, [64, 48]],
  ['changes-aspect-back.ts', 'squeezed', 'plain', 'ts', 0, [128, 48]],
  ['grows-upright.mp4', 'plain', 'large', 'mp4', 0, [64, 48]],
  ['grows-upside-down.mp4', 'plain', 'large', 'mp4', 180, [64, 48]],
  ['grows-upright.ts', 'plain', 'large', 'ts', 0, [64, 48]],
  ['shrinks.mp4', 'large', 'plain', 'mp4', 270, [96, 128]],
  ['changes-shape.mp4', 'plain', 'tall', 'mp4', 90, [48, 64]],
  ['changes-depth.mp4', 'plain', 'deep', 'mp4', 90, [48, 64]],
];
const USUAL_CHANGES = 7;

/** Two pieces of three seconds, one after the other; `picture` where it is not the usual one. */
export async function changing(
  ground: FootageGround,
  [first, second]: readonly [PieceName, PieceName],
  container: string,
  picture: Corners = QUARTERS,
): Promise<Buffer> {
  const made = [first, second].map((name, half) =>
    recorded(ground, 'half.ts', { ...PIECES[name], picture, frames: 30, from: half * 30 }),
  );
  return await ground.once(`${first}, then ${second} in ${container}, ${JSON.stringify(picture)}`, async () =>
    joined(ground, await Promise.all(made), { from: 'ts', name: `joined.${container}` }),
  );
}

const changes: FootageFile[] = CHANGES.map(([name, first, second, container, turn, [width, height]], i) => ({
  name,
  isOnlyDeep: i >= USUAL_CHANGES,
  why: 'pictures of another kind from the middle on',
  right: {
    width,
    height,
    frames: 9,
    firstT: 0,
    durationSeconds: 6,
    numbersFrom: 0,
    missing: [],
    corners: turnedCorners(turn, false),
    mean: QUARTERS,
  },
  make: async (ground) => {
    const file = await changing(ground, [first, second], container);
    return container === 'mp4' ? withMatrix(file, matrixOf(turn, false)) : file;
  },
}));

/** The camera is turned while it records: the shape is that of the first frame, and so are the corners. */
const turned: FootageFile[] = (
  [
    ['turned-at-6s.ts', 'ts', [0, 90]],
    ['turned-back-at-6s.mp4', 'mp4', [90, 0]],
    ['turned-over-at-6s.mkv', 'mkv', [90, 270]],
    ['turned-at-6s.mp4', 'mp4', [0, 90]],
  ] as const
).map(([name, container, turns], i) => ({
  name,
  isOnlyDeep: i > 2,
  why: 'the camera is turned in mid-recording',
  right: {
    ...(turns[0] === 90
      ? {
          width: 48,
          height: 64,
        }
      : {
          width: 64,
          height: 48,
        }),
    frames: 18,
    firstT: 0,
    durationSeconds: 12,
    numbersFrom: 0,
    missing: [],
    corners: turnedCorners(turns[0], false),
  },
  make: async (ground: FootageGround) => {
    const made = turns.map(async (turn, half) => {
      const plain = await recorded(ground, 'half.mp4', { frames: 60, from: half * 60, codec: repeated });
      return await ground.copied(plain, 'mp4', 'turned.ts', orientationFilter(turn, false));
    });
    return await joined(ground, await Promise.all(made), { from: 'ts', name: `joined.${container}` });
  },
}));

const turnedPhotos: FootageFile = {
  name: 'exif-changes.avi',
  why: "orientation in each frame's EXIF, which changes",
  right: sided(90),
  make: async (ground) =>
    withAviFrames(await wide(ground, 'wide.avi', MJPEG), (frame, n) => withExifOrientation(frame, n < 15 ? 6 : 1)),
};

/** Shape, size and orientation. */
export const GEOMETRY_FILES: readonly FootageFile[] = [
  ...matrices,
  ...messages,
  everyFrame,
  ...photos,
  ...aspects,
  ...containerAspects,
  ...changes,
  ...turned,
  turnedPhotos,
];
