import { blocksOf, EBML, elementsOf, matroskaOf } from './ebml.ts';
import { flvOf, tagsOf } from './flv-tags.ts';
import type { FootageGround } from './footage-ground.ts';
import { boxesOf, replaced } from './mp4-boxes.ts';
import { MJPEG, noisy, recorded, steady } from './recordings.ts';
import type { FootageFile, RightValues } from './right-values.ts';
import { continued, cutTsHead, isStart, packetsOf, pidOf, renumbered, TS_PACKET, tsOffset } from './ts-packets.ts';

const SIX: RightValues = { frames: [8, 9], firstT: 0, durationSeconds: 6, numbersFrom: 0, secondsPerNumber: 0.1 };
/** Half of what was promised is lost: the recording is refused, or says from where on. */
const LOST_TAIL: RightValues = {
  either: [{ code: 'VIDEO_TRUNCATED' }, { ...SIX, frames: [7, 10], numbersFrom: undefined, missing: [[6, 12]] }],
};
/** Four seconds are lost in the middle, or more where the decoder waits for a key frame. */
const HOLE: RightValues = { firstT: 0, lastT: 11.4, durationSeconds: 12, frames: [9, 14], degraded: true };
const LOST_HEAD: RightValues = {
  frames: [13, 14],
  firstT: 3,
  lastT: 11.4,
  durationSeconds: 12,
  numbersFrom: 30,
  secondsPerNumber: 0.1,
  missing: [[0, 3]],
};
const VIDEO_PID = 0x100;
const KEYS_OF_HEVC = 'log-level=none:pools=none:frame-threads=1:keyint=60:min-keyint=60:scenecut=0';

const half = (file: Buffer): Buffer => file.subarray(0, Math.floor(file.length / 2));
const zeroed = (file: Buffer, from: number, to: number): Buffer => Buffer.from(file).fill(0, from, to);

/** Bytes of an MP4's media. */
function mediaOf(file: Buffer): readonly [from: number, to: number] {
  const media = boxesOf(file).find(({ type }) => type === 'mdat');
  if (media === undefined) throw new Error('no media');
  return [media.bodyStart, media.end];
}

const share = ([from, to]: readonly [number, number], part: number): number => Math.floor(from + (to - from) * part);
const faststart = (ground: FootageGround): Promise<Buffer> => noisy(ground, 'mp4', ['-movflags', '+faststart']);
const avi = (ground: FootageGround): Promise<Buffer> => recorded(ground, 'long.avi', { codec: MJPEG });
const FRAGMENTED = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];

const cuts: FootageFile[] = [
  {
    name: 'cut-at-half.ts',
    why: 'a transport stream promises nothing: what is there is all there is',
    right: { ...SIX, missing: [] },
    make: async (ground) => {
      const file = await noisy(ground, 'ts');
      return file.subarray(0, tsOffset(file, VIDEO_PID, 60));
    },
  },
  {
    name: 'cut-at-half-in-mid-packet.ts',
    why: 'a transport stream promises nothing: what is there is all there is',
    right: { frames: [8, 9], firstT: 0, durationSeconds: 6 },
    make: async (ground) => {
      const file = await noisy(ground, 'ts');
      return file.subarray(0, tsOffset(file, VIDEO_PID, 60) - 100);
    },
  },
  {
    name: 'cut-at-half.mp4',
    why: 'the index comes first and promises 12 s',
    right: { code: 'VIDEO_TRUNCATED' },
    make: async (ground) => {
      const file = await faststart(ground);
      return file.subarray(0, share(mediaOf(file), 0.5));
    },
  },
  {
    name: 'only-the-index.mp4',
    why: 'the index comes first, and nothing behind it',
    right: { either: [{ code: 'VIDEO_TRUNCATED' }, { code: 'VIDEO_NO_FRAMES' }] },
    make: async (ground) => {
      const file = await faststart(ground);
      return file.subarray(0, mediaOf(file)[0]);
    },
  },
  {
    name: 'cut-before-its-index.mp4',
    why: 'the index would have come last',
    right: { code: 'VIDEO_TRUNCATED' },
    make: async (ground) => half(await noisy(ground, 'mp4')),
  },
  {
    name: 'cut-at-half.mkv',
    why: 'the header promises 12 s',
    right: LOST_TAIL,
    make: async (ground) => half(await noisy(ground, 'mkv')),
  },
  {
    name: 'cut-cleanly-at-half.mkv',
    why: 'the header promises 12 s; the file ends at a frame',
    right: LOST_TAIL,
    make: async (ground) => {
      const file = await noisy(ground, 'mkv');
      return matroskaOf(file, blocksOf(file).slice(0, 60), { promisedMilliseconds: 12_000 });
    },
  },
  {
    name: 'cut-between-clusters.mkv',
    why: 'the header promises 12 s; the file ends at a cluster',
    right: LOST_TAIL,
    make: async (ground) => cutClusters(await noisy(ground, 'mkv', ['-cluster_time_limit', '1000'])),
  },
  {
    name: 'half-of-12s.flv',
    why: 'the header promises 12 s; the file ends at a frame',
    right: LOST_TAIL,
    make: async (ground) => {
      const file = await noisy(ground, 'flv');
      const tags = tagsOf(file);
      return flvOf(file, tags.slice(0, Math.floor(tags.length / 2)));
    },
  },
  {
    name: 'cut-at-half.flv',
    why: 'the header promises 12 s; the file ends within a frame',
    right: LOST_TAIL,
    make: async (ground) => half(await noisy(ground, 'flv')),
  },
  {
    name: 'cut-at-half.avi',
    why: 'the header counts 120 frames',
    right: LOST_TAIL,
    make: async (ground) => half(await avi(ground)),
  },
  {
    name: 'cut-at-half-with-empty-frames.avi',
    why: 'the header counts 240 frames, every other of which is empty',
    right: LOST_TAIL,
    make: async (ground) => half(await noisy(ground, 'avi')),
  },
  {
    name: 'last-fragments-lost.mp4',
    why: 'fragments, and an index of them at the start that promises 12 s',
    right: LOST_TAIL,
    make: async (ground) => {
      const file = await noisy(ground, 'mp4', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof+global_sidx']);
      const moofs = boxesOf(file).filter(({ type }) => type === 'moof');
      return file.subarray(0, moofs[2]?.start);
    },
  },
  {
    name: 'last-fragments-lost-unpromised.mp4',
    why: 'fragments that promise nothing: what is there is all there is',
    right: { ...SIX, missing: [] },
    make: async (ground) => {
      const file = await noisy(ground, 'mp4', FRAGMENTED);
      const moofs = boxesOf(file).filter(({ type }) => type === 'moof');
      return file.subarray(0, moofs[2]?.start);
    },
  },
  {
    name: 'cut-within-a-fragment.mp4',
    why: 'a fragment whose index promises more than there is',
    right: {
      either: [
        { code: 'VIDEO_TRUNCATED' },
        { firstT: 0, frames: [11, 12], durationSeconds: 7.5 },
        { firstT: 0, degraded: true },
      ],
    },
    make: async (ground) => {
      const file = await noisy(ground, 'mp4', FRAGMENTED);
      const media = boxesOf(file).filter(({ type }) => type === 'mdat')[2];
      return file.subarray(0, media === undefined ? 0 : share([media.bodyStart, media.end], 0.5));
    },
  },
];

/** Without the clusters that begin in the second half. */
function cutClusters(file: Buffer): Buffer {
  const [, segment] = elementsOf(file);
  const bodyStart = segment?.bodyStart ?? 0;
  const clusters = elementsOf(file.subarray(bodyStart)).filter(({ id }) => id === EBML.cluster);
  return file.subarray(0, bodyStart + (clusters.find(({ start }) => start > file.length / 2)?.start ?? 0));
}

const holes: FootageFile[] = [
  {
    name: 'middle-zeroed.ts',
    why: 'four seconds in the middle were never written to the disk',
    right: HOLE,
    make: async (ground) => {
      const file = await noisy(ground, 'ts');
      return zeroed(file, tsOffset(file, VIDEO_PID, 40), tsOffset(file, VIDEO_PID, 80));
    },
  },
  {
    name: 'middle-missing.ts',
    why: 'four seconds in the middle were never sent',
    right: { ...HOLE, degraded: undefined, missing: undefined },
    make: async (ground) => {
      const file = await noisy(ground, 'ts');
      const [from, to] = [tsOffset(file, VIDEO_PID, 40), tsOffset(file, VIDEO_PID, 80)];
      return Buffer.concat([file.subarray(0, from), file.subarray(to)]);
    },
  },
  {
    name: 'middle-zeroed.mp4',
    why: 'four seconds in the middle were never written to the disk',
    right: HOLE,
    make: async (ground) => {
      const file = await faststart(ground);
      return zeroed(file, share(mediaOf(file), 0.33), share(mediaOf(file), 0.66));
    },
  },
  {
    name: 'middle-zeroed.mkv',
    why: 'four seconds in the middle were never written to the disk',
    right: HOLE,
    make: async (ground) => {
      const file = await noisy(ground, 'mkv', ['-cluster_time_limit', '1000']);
      return zeroed(file, Math.floor(file.length * 0.34), Math.floor(file.length * 0.66));
    },
  },
  {
    name: 'middle-zeroed.flv',
    why: 'four seconds in the middle were never written to the disk',
    right: { either: [HOLE, { ...LOST_TAIL }, { firstT: 0, degraded: true }, { code: 'VIDEO_TRUNCATED' }] },
    make: async (ground) => {
      const file = await noisy(ground, 'flv');
      return zeroed(file, Math.floor(file.length * 0.34), Math.floor(file.length * 0.66));
    },
  },
  {
    name: 'middle-zeroed.avi',
    why: 'four seconds in the middle were never written to the disk',
    right: { either: [HOLE, { code: 'VIDEO_TRUNCATED' }] },
    make: async (ground) => {
      const file = await avi(ground);
      return zeroed(file, Math.floor(file.length * 0.34), Math.floor(file.length * 0.66));
    },
  },
];

const tails: FootageFile[] = [
  {
    name: 'second-half-zeroed.mp4',
    why: 'the disk was full, but the size had been set',
    right: LOST_TAIL,
    make: async (ground) => {
      const file = await faststart(ground);
      return zeroed(file, share(mediaOf(file), 0.5), file.length);
    },
  },
  {
    name: 'second-half-zeroed.ts',
    why: 'the disk was full, but the size had been set',
    right: { either: [{ code: 'VIDEO_TRUNCATED' }, { ...SIX, numbersFrom: undefined, degraded: true }] },
    make: async (ground) => {
      const file = await noisy(ground, 'ts');
      return zeroed(file, tsOffset(file, VIDEO_PID, 60), file.length);
    },
  },
  ...(['mkv', 'flv', 'avi'] as const).map((container) => ({
    name: `second-half-zeroed.${container}`,
    why: 'the disk was full, but the size had been set',
    right: LOST_TAIL,
    make: async (ground: FootageGround) => {
      const file = container === 'avi' ? await avi(ground) : await noisy(ground, container);
      return zeroed(file, Math.floor(file.length / 2), file.length);
    },
  })),
];

/** A recording that begins with this frame, which is no key frame. */
const heads: FootageFile[] = [
  {
    name: 'first-key-at-3s-of-9s.ts',
    why: 'cut in the middle of a group of pictures; the parameter sets come with the next',
    right: { ...LOST_HEAD, frames: 9, lastT: 8.4, durationSeconds: 9, numbersFrom: undefined, secondsPerNumber: 0.1 },
    make: async (ground) => {
      const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '60', '-sc_threshold', '0'];
      const file = await recorded(ground, 'k.ts', { codec: [...codec, '-pix_fmt', 'yuv420p', '-crf', '12'] });
      return cutTsHead(file, VIDEO_PID, 30);
    },
  },
  {
    name: 'no-key-until-3s.mp4',
    why: 'the first three seconds need a picture that is not there',
    right: LOST_HEAD,
    make: async (ground) => {
      const file = await noisy(ground, 'mp4');
      const [from, to] = mediaOf(file);
      const third = replaced(file, 'moov/trak/mdia/minf/stbl/stss', () => Buffer.alloc(0));
      return zeroed(third, from, share([from, to], 0.24));
    },
  },
  ...(
    [
      ['hevc', ['-c:v', 'libx265', '-preset', 'ultrafast', '-bf', '0', '-x265-params', KEYS_OF_HEVC]],
      ['mpeg4', ['-c:v', 'mpeg4', '-q:v', '2', '-g', '60', '-sc_threshold', '1000000000']],
      ['flv1', ['-c:v', 'flv1', '-q:v', '2', '-g', '60', '-sc_threshold', '1000000000']],
    ] as const
  ).map(([codec, args]) => ({
    name: `no-key-until-3s-${codec}.mkv`,
    why: 'a decoder that draws upon grey what it has nothing to draw upon',
    right: { ...LOST_HEAD, lastT: 8.4, frames: 9, durationSeconds: 9, numbersFrom: 60 },
    make: async (ground: FootageGround) => {
      const file = await recorded(ground, `${codec}.mkv`, { codec: args });
      return await ground.copied(file, 'mkv', 'head.mkv', ['-copyinkf', '-bsf:v', 'noise=drop=lt(n\\,30)']);
    },
  })),
  {
    name: 'no-key-until-3s.mkv',
    why: 'the first three seconds need a picture that is not there',
    right: LOST_HEAD,
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      return matroskaOf(file, blocksOf(file).slice(1), { promisedMilliseconds: 12_000 });
    },
  },
  {
    name: 'head-missing.flv',
    why: 'joined in the middle: the codec was told before',
    right: LOST_HEAD,
    make: async (ground) => {
      const file = await steady(ground, 'flv');
      return flvOf(
        file,
        tagsOf(file).filter((_, i) => i !== 2),
      );
    },
  },
];

/** The second half of a file on another PID. */
async function otherPid(ground: FootageGround, isTold: boolean): Promise<Buffer> {
  const file = await steady(ground, 'ts');
  const packets = packetsOf(file);
  // From the program's tables on that come before the middle, so that they can say so in time.
  const middle = tsOffset(file, VIDEO_PID, 60) / TS_PACKET;
  const tables = packets.findLastIndex((packet, i) => i < middle && pidOf(packet) === 0 && isStart(packet));
  const cut = tables * TS_PACKET;
  return continued(Buffer.concat([file.subarray(0, cut), renumbered(file.subarray(cut), VIDEO_PID, 0x200, isTold)]));
}

const pids: FootageFile[] = [
  {
    name: 'pid-256-then-512.ts',
    why: 'the PID of the video changes at half time, and the program says so',
    right: {
      either: [
        { frames: [17, 18], firstT: 0, lastT: 11.4, durationSeconds: 12, missing: [] },
        { code: 'VIDEO_TRUNCATED' },
        { degraded: true },
      ],
    },
    make: async (ground) => await otherPid(ground, true),
  },
  {
    name: 'pid-256-then-512-untold.ts',
    why: 'the PID of the video changes at half time, and nothing says so',
    right: {
      either: [
        { frames: [17, 18], firstT: 0, lastT: 11.4, durationSeconds: 12, missing: [] },
        { code: 'VIDEO_TRUNCATED' },
        { degraded: true },
      ],
    },
    make: async (ground) => await otherPid(ground, false),
  },
];

/** What is not there. */
export const TRUNCATION_FILES: readonly FootageFile[] = [...cuts, ...holes, ...tails, ...heads, ...pids];
