import type { DisplayGeometry } from '../probe/display-geometry.ts';
import { DEMUXERS } from '../probe/run-ffprobe.ts';
import { nameOf } from '../tools/start-tool.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { decoderOptions, planeFilters, type DecodePass } from './decode-mode.ts';

interface Sampling {
  /** The filter that lets through what may be sampled. */
  readonly filter: string;
  readonly pass: DecodePass;
  /** Of the decoder. */
  readonly threads: number;
}

const TICK = '1/1000';

/** The arguments of ffmpeg that make RGB pictures of one size, in display orientation, of the frames that the filter lets through. */
export function decodeArguments(file: string, video: ProbedVideo, { filter, pass, threads }: Sampling): string[] {
  const { squareWidth, squareHeight } = video.geometry;
  // Each picture is brought to the one size before anything is turned: a filter that turns keeps the size that it saw first, and reads
  // beyond pictures that are smaller.
  const filters = [
    ...headFilters(video.codec),
    filter,
    ...planeFilters(pass, video.pixelFormat),
    `scale=${squareWidth}:${squareHeight}`,
    'format=rgb24',
    ...turningFilters(video.geometry),
  ];
  // The times are read before. A muxer complains of a clock that steps back or stands, and that would look like damage of the file: each
  // picture lies one tick behind the one before it, in the time base of the muxer too, which is one frame of the file's rate unless it is said.
  filters.push(`settb=${TICK}`, 'setpts=N');
  return [
    '-hide_banner -nostdin -nostats -v repeat+level+info'.split(' '),
    // By default each has as many as there are cores: that many more to be had before a video can begin.
    ['-filter_threads', '1'],
    // What cannot be decoded is judged when the file has ended, however much it is.
    ['-max_error_rate', '1'],
    // The clock of the file is read as it is, and the orientation was decided once: neither may be corrected on the way.
    ['-copyts', '-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS, ...decoderOptions(pass, threads)],
    ['-noautorotate', '-reinit_filter', '0', ...video.inputOptions, '-i', nameOf(file)],
    ['-map', `0:${video.streamIndex}`, '-an', '-sn', '-dn', '-vf', filters.join(','), '-fps_mode', 'passthrough'],
    ['-enc_time_base', TICK, '-threads', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ].flat();
}

/**
 * Decoders that draw upon grey what they have nothing to draw upon: until the first key frame their pictures are none. A stream that has
 * none for so long refreshes its pictures part by part.
 */
const DRAWS_UPON_NOTHING = /^(?:hevc|mpeg4|h263|flv1|msmpeg4v\d|wmv\d)$/;
const FRAMES_WITHOUT_KEY = 1_000;

function headFilters(codec: string): readonly string[] {
  return DRAWS_UPON_NOTHING.test(codec) ? [`select='st(0,max(ld(0),key+gt(n,${FRAMES_WITHOUT_KEY})))'`] : [];
}

const TURNING = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
} as const;

function turningFilters({ turn, isMirrored }: DisplayGeometry): readonly string[] {
  return isMirrored ? ['hflip', ...TURNING[turn]] : TURNING[turn];
}
