import { blocksOf, matroskaOf } from './ebml.ts';
import { retimedFlv, withFlvDuration } from './flv-tags.ts';
import type { FootageGround } from './footage-ground.ts';
import { box, boxesOf, replaced, u32 } from './mp4-boxes.ts';
import { OTHER_QUARTERS } from './picture.ts';
import { noisy, recorded, steady, withTone } from './recordings.ts';
import { TWELVE, type FootageFile, type RightValues } from './right-values.ts';
import { cutTsHead, packetsOf, retimedTs, TS_TICKS } from './ts-packets.ts';

const VIDEO_PID = 0x100;

const late: FootageFile[] = [
  {
    name: 'first-key-at-12s-of-27s.ts',
    why: "parameter sets come after the prober's usual window",
    right: {
      width: 64,
      height: 48,
      frames: [22, 24],
      firstT: 12,
      lastT: 26.5,
      durationSeconds: 27,
      missing: [[0, 12]],
    },
    make: async (ground) => {
      const plain = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12', '-pix_fmt', 'yuv420p', '-bf', '0'];
      const groups = ['-g', '150', '-keyint_min', '150', '-sc_threshold', '0'];
      const file = await recorded(ground, 'l.ts', { frames: 300, codec: [...plain, ...groups] });
      return cutTsHead(file, VIDEO_PID, 30);
    },
  },
];

/** Thirty frames in as many milliseconds, then ten a second. */
const burst = (n: number): number => (n < 30 ? n / 1_000 : 0.03 + (n - 30) / 10);
const BURST: RightValues = {
  width: 64,
  height: 48,
  frames: [13, 15],
  firstT: 0,
  durationSeconds: 9,
  maxFrameRate: 60,
  missing: [],
};

const bursts: FootageFile[] = [
  {
    name: 'burst-then-10fps.ts',
    why: 'the time base is not the frame rate',
    right: BURST,
    make: async (ground) => retimedTs(await steady(ground, 'ts'), VIDEO_PID, (_own, n) => (1.4 + burst(n)) * TS_TICKS),
  },
  {
    name: 'burst-then-10fps.mkv',
    why: 'the time base is not the frame rate',
    right: BURST,
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      const blocks = blocksOf(file).map((block, n) => ({ ...block, milliseconds: Math.round(burst(n) * 1_000) }));
      return matroskaOf(file, blocks, { promisedMilliseconds: 9_030 });
    },
  },
  {
    name: 'burst-then-10fps.flv',
    why: 'the time base is not the frame rate',
    right: BURST,
    make: async (ground) =>
      withFlvDuration(
        retimedFlv(await steady(ground, 'flv'), (_own, n) => Math.round(burst(n) * 1_000)),
        9.03,
      ),
  },
  {
    name: 'uneven.mkv',
    why: 'no two frames are as far apart',
    right: { ...TWELVE, secondsPerNumber: undefined },
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      const blocks = blocksOf(file).map((block, n) => ({ ...block, milliseconds: n * 100 + ((n * 37) % 53) }));
      return matroskaOf(file, blocks, { promisedMilliseconds: 12_000 });
    },
  },
];

/** The head of a file of this brand, as a camera writes it: compatible brands, and some boxes that are no movie. */
const photo = (major: string, compatible: readonly string[]): Buffer =>
  Buffer.concat([
    box('ftyp', Buffer.from(major, 'latin1'), u32(0), Buffer.from(compatible.join(''), 'latin1')),
    box(
      'meta',
      u32(0),
      box('hdlr', u32(0, 0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
      box('iloc', u32(0, 0)),
    ),
    box('mdat', Buffer.alloc(300, 0x5a)),
  ]);

const photos: FootageFile[] = (
  [
    ['photo.heic', 'heic', ['mif1', 'heic', 'miaf']],
    ['photo-of-a-newer-phone.heic', 'heix', ['mif1', 'heix', 'miaf']],
    ['photo.avif', 'avif', ['mif1', 'avif', 'miaf', 'MA1B']],
    ['photo-of-another-kind.heif', 'mif1', ['mif1', 'heic']],
    ['photo-named.mp4', 'heic', ['mif1', 'heic']],
    ['photo.jxl', 'jxl ', ['jxl ']],
    ['raw-photo.cr3', 'crx ', ['crx ', 'isom']],
  ] as const
).map(([name, major, compatible]) => ({
  name,
  why: 'a photo',
  right: { code: 'NOT_A_VIDEO' as const },
  make: () => Promise.resolve(photo(major, compatible)),
}));

const unfinished: FootageFile[] = [
  {
    name: 'sequence-without-movie.heics',
    why: 'pictures without the movie that would make them a sequence',
    right: { code: 'NOT_A_VIDEO' },
    make: () => Promise.resolve(photo('hevc', ['msf1', 'hevc', 'heic'])),
  },
  {
    name: 'sequence-without-movie.avifs',
    why: 'pictures without the movie that would make them a sequence',
    right: { code: 'NOT_A_VIDEO' },
    make: () => Promise.resolve(photo('avis', ['msf1', 'avis', 'avif'])),
  },
];

const branded = (file: Buffer, major: string, compatible: readonly string[]): Buffer => {
  // Media lie where they lay: what the brands leave over of the space is skipped.
  const [old] = boxesOf(file);
  const head = box('ftyp', Buffer.from(major, 'latin1'), u32(0), Buffer.from(compatible.join(''), 'latin1'));
  const left = (old?.end ?? 0) - head.length;
  return Buffer.concat([
    head,
    left >= 8 ? box('free', Buffer.alloc(left - 8)) : Buffer.alloc(0),
    file.subarray(old?.end ?? 0),
  ]);
};

const brands: FootageFile[] = [
  {
    name: 'sequence.heics',
    why: 'a sequence of pictures with a movie in it is a video',
    right: TWELVE,
    make: async (ground) => branded(await steady(ground, 'mp4'), 'hevc', ['msf1']),
  },
  {
    name: 'sequence.avifs',
    why: 'a sequence of pictures with a movie in it is a video',
    right: TWELVE,
    make: async (ground) => branded(await steady(ground, 'mp4'), 'avis', ['msf1']),
  },
  {
    name: 'old-quicktime.mov',
    why: 'a movie without a brand',
    right: TWELVE,
    make: async (ground) =>
      replaced(await steady(ground, 'mp4'), 'ftyp', (body) => box('free', Buffer.alloc(body.length))),
  },
];

async function still(ground: FootageGround, name: string, args: readonly string[]): Promise<Buffer> {
  return await recorded(ground, name, { width: 96, height: 64, frames: 1, codec: args, picture: OTHER_QUARTERS });
}

const named: FootageFile[] = [
  {
    name: 'jpeg-named.mp4',
    why: 'a photo that is called a video',
    right: { code: 'NOT_A_VIDEO' },
    make: async (ground) => await still(ground, 's.jpg', ['-frames:v', '1', '-update', '1']),
  },
  {
    name: 'png-named.mp4',
    why: 'a picture that is called a video',
    right: { code: 'NOT_A_VIDEO' },
    make: async (ground) => await still(ground, 's.png', ['-frames:v', '1', '-update', '1']),
  },
  {
    name: 'webp-named.mp4',
    why: 'a picture that is called a video',
    right: { code: 'NOT_A_VIDEO' },
    make: async (ground) => await still(ground, 's.webp', ['-frames:v', '1', '-c:v', 'libwebp']),
  },
];

const wrapped: FootageFile[] = [
  {
    name: 'camcorder.m2ts',
    why: 'packets with a clock before each, as camcorders and discs have them',
    right: TWELVE,
    make: async (ground) => {
      const packets = packetsOf(await steady(ground, 'ts'));
      return Buffer.concat(packets.flatMap((packet, n) => [u32(n * 300), packet]));
    },
  },
  {
    name: 'camcorder-with-sound.m2ts',
    why: 'the same, and sound behind the last picture',
    right: { ...TWELVE, frames: [18, 19] },
    make: (ground) => withTone(ground, 'm2ts', { toneSeconds: 13, args: ['-mpegts_m2ts_mode', '1'] }),
  },
  {
    name: 'begins-in-mid-packet.ts',
    why: 'a capture that begins anywhere',
    right: {
      ...TWELVE,
      frames: [13, 18],
      firstT: undefined,
      lastT: undefined,
      durationSeconds: undefined,
      numbersFrom: undefined,
      missing: undefined,
    },
    make: async (ground) => (await noisy(ground, 'ts')).subarray(100),
  },
  {
    name: 'video-named.txt',
    why: 'the name says nothing',
    right: TWELVE,
    make: async (ground) => await steady(ground, 'mkv'),
  },
];

/** What the prober has to find out. */
export const PROBER_FILES: readonly FootageFile[] = [
  ...late,
  ...bursts,
  ...photos,
  ...unfinished,
  ...brands,
  ...named,
  ...wrapped,
];
