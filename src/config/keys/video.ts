import { integer, integerOrAuto, oneOf } from '../forms.ts';
import { optional, withDefault } from '../key.ts';
import { FILE } from './shared-forms.ts';

const DAY = 86_400;

export const LIMITS_KEYS = {
  maxObjectBytes: withDefault('MAX_OBJECT_BYTES', integer('bytes', 1, 5 * 1024 ** 4), String(20 * 1024 ** 3), {
    description: 'largest video file',
  }),
  maxVideoSeconds: withDefault('MAX_VIDEO_SECONDS', integer('seconds', 1, 30 * DAY), String(6 * 3600), {
    description: 'longest video',
  }),
  maxVideoPixels: withDefault('MAX_VIDEO_PIXELS', integer('pixels', 1, 268_435_456), '33177600', {
    description: 'largest picture, width times height (default: 7680 x 4320)',
  }),
  maxFrameRate: withDefault('MAX_FRAME_RATE', integer('frames per second', 1, 10_000), '240', {
    description: 'highest frame rate',
  }),
  maxStreams: withDefault('MAX_STREAMS', integer('streams', 1, 1000), '16', {
    description: 'most streams in a file',
  }),
  maxResultRows: withDefault('MAX_RESULT_ROWS', integer('rows', 1, 100_000_000), '2000000', {
    description: 'most rows of one result: boxes, overlaps, persons, events and scene texts',
  }),
  decodeStallSeconds: withDefault('DECODE_STALL_SECONDS', integer('seconds', 1, 3600), '60', {
    description: 'a decoder that makes no progress for so long is stopped',
  }),
} as const;

export const DECODE_KEYS = {
  mode: withDefault('DECODE', oneOf('exact', 'fast'), 'exact', {
    description:
      'decode every frame, or leave out what the samples do not need: a third to two fifths less processor time, and a sample may be a later frame of its interval',
  }),
  device: withDefault('DECODE_DEVICE', oneOf('cpu', 'cuda', 'auto'), 'cpu', {
    description:
      'what decodes: the processor, or the video decoder of the GPU GPU_DEVICE_ID; auto takes the GPU where the preflight sees it work',
  }),
  threads: withDefault('DECODER_THREADS', integerOrAuto('threads', 1, 64), 'auto', {
    description:
      'threads of the decoder of one video; auto shares the cores among the videos at once, half of them where the models run on the CPU, at most 16 each',
  }),
  sandbox: withDefault('DECODER_SANDBOX', oneOf('require', 'auto', 'off'), 'auto', {
    description:
      'ffmpeg and ffprobe start in a sandbox (bubblewrap) without network, files and processes of the host; require: no start without it; auto: where it works; off: never',
  }),
  frameThreads: withDefault('FRAME_THREADS', oneOf('on', 'off', 'auto'), 'auto', {
    description: 'longer videos are read on a thread each; auto: on CUDA with CONCURRENCY above 1; on: all videos',
  }),
} as const;

export const FFMPEG_KEYS = {
  ffmpegPath: optional('FFMPEG_PATH', FILE, {
    description: 'ffmpeg; searched in PATH and in the package ffmpeg-static when absent',
  }),
  ffprobePath: optional('FFPROBE_PATH', FILE, { description: 'ffprobe; searched like ffmpeg when absent' }),
} as const;
