import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { samplingFilter } from '../clock/sampling-filter.ts';
import { SamplingLog } from '../clock/sampling-log.ts';
import type { Footage } from '../footage.ts';
import type { Frame } from '../frame.ts';
import type { FramePool } from '../frames/frame-pool.ts';
import { scannedStream, scanPackets, type PacketScan } from '../probe/packet-scan.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { FrameCollector } from '../reading/frame-collector.ts';
import type { FrameStream } from '../reading/frame-stream.ts';
import { ThreadedFrames } from '../reading/threaded-frames.ts';
import { limitsFor, type ChildLimits, type NotingChild } from '../tools/child-process.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { openSocketPair } from '../tools/socket-pair.ts';
import { startTool } from '../tools/start-tool.ts';
import { decodeArguments } from './decode-arguments.ts';
import { passesFor, type DecodeMode, type DecodePass } from './decode-mode.ts';
import { Decoding, type DecodingLimits } from './decoding.ts';
import { judgeEnd, type DecodingEnd } from './judge-end.ts';
import { judgePass } from './judge-pass.ts';
import { framesInPasses, PassInDoubt, type OpenPass } from './passes.ts';

export interface DecodeOptions extends DecodingLimits {
  readonly framesPerSecond: number;
  /** Address space of ffmpeg; by default 4 GiB and 256 MiB for every thread but the first. */
  readonly memoryLimitBytes?: number;
  /** Of the decoder, at least 1. More take less time and more of the processor. */
  readonly threads: number;
  /** Where the memory of frames comes from, and goes back to with their release. */
  readonly pool: FramePool;
  /**
   * A video with so many bytes of samples to come, or more, has a thread of its own that reads them; a thread costs 40 to 85 ms of the processor.
   * When absent or null, all are read on the thread that decodes.
   */
  readonly threadFromBytes?: number | null;
  /** `exact` when absent. */
  readonly mode?: DecodeMode;
  /** CUDA's number of the GPU that decodes; the processor when absent or null. */
  readonly gpu?: number | null;
}

/**
 * Decodes a file in presentation order and display orientation, and yields the frames sampled by time as RGB. One ffmpeg process at a
 * time, at most a few frames ahead of the consumer, gone in every outcome before the iteration ends. Whoever gets a frame releases it.
 * Returns what the video turned out to be.
 */
export async function* decodeFrames(
  tools: FfmpegTools,
  file: string,
  video: ProbedVideo,
  options: DecodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Frame, Footage, undefined> {
  const { framesPerSecond, mode = 'exact', gpu = null } = options;
  const { container, codec, pixelFormat, frameRate } = video;
  const { packets, streamIndex } = video;
  const isTimed = packets === null || scannedStream(packets, streamIndex)?.isTimed !== false;
  const passes = passesFor({ mode, gpu, container, isTimed, codec, pixelFormat, frameRate, framesPerSecond });
  const waited = { ms: 0 };
  return yield* framesInPasses(passes, framesPerSecond, (pass) =>
    decodePass({ tools, file, video, options, pass, waited }, signal),
  );
}

interface PassOrder {
  readonly tools: FfmpegTools;
  readonly file: string;
  readonly video: ProbedVideo;
  readonly options: DecodeOptions;
  readonly pass: DecodePass;
  /** For ffmpeg, in all passes so far: the limit holds for all of them. */
  readonly waited: { ms: number };
}

async function* decodePass(order: PassOrder, signal: AbortSignal): ReturnType<OpenPass> {
  signal.throwIfAborted();
  const { tools, file, video, options, pass, waited } = order;
  const ended = yield* picturesOf(order, signal);
  const readPackets = async (): Promise<PacketScan> => {
    const { maxFrames, wallTimeoutMs } = options;
    const timeoutMs = Math.max(1, wallTimeoutMs - waited.ms);
    return video.packets ?? (await scanPackets(tools, file, video, { maxFrames, timeoutMs }, signal));
  };
  if (pass.leftOut !== 'nothing') return await judgePass(video, ended, 1 / options.framesPerSecond, readPackets);
  const isInDoubt = pass.gpu !== null && (video.packets === null || ended.end.words.sawDamage);
  return await judgeEnd(video, ended, isInDoubt ? inDoubt : readPackets);
}

/** Runs ffmpeg, which is gone when the iteration has ended, and the memory of frames that nobody took with it. */
async function* picturesOf(order: PassOrder, signal: AbortSignal): AsyncGenerator<Frame, DecodingEnd, undefined> {
  const { file, video, options, pass, waited } = order;
  const { framesPerSecond, threads } = options;
  const { width, height, startMicros, maxGapMicros } = video;
  const frameMicros = Math.round(1e6 / video.frameRate);
  const promisedMicros = Math.round(video.durationSeconds * 1e6);
  const sampling = { framesPerSecond, startMicros, maxGapMicros, frameMicros, promisedMicros };
  const args = decodeArguments(file, video, { filter: samplingFilter(sampling), pass, threads });
  await using frames = openFrames(video, options);
  const child = await startDecoder(order, args, frames, signal);
  const output = { frames, log: new SamplingLog(sampling), waitedBeforeMs: waited.ms };
  const decoding = new Decoding(child, output, options, signal);
  try {
    for (let sample = 0; ; sample++) {
      const picture = await decoding.next();
      if (picture === null) break;
      const { index, t, pixels, release, isTimeSure } = picture;
      if (!isTimeSure && pass.leftOut !== 'nothing') {
        release();
        throw new PassInDoubt();
      }
      yield { sample, index, t, pixels, release, width, height };
    }
    // Before it is stopped: with its last picture it has closed its pipes and not yet ended, and would be told to end from outside.
    return await decoding.ended();
  } finally {
    waited.ms = decoding.waitedMs;
    await child.stop();
  }
}

function openFrames({ width, height, durationSeconds }: ProbedVideo, options: DecodeOptions): FrameStream {
  const { framesPerSecond, pool, threadFromBytes = null } = options;
  const frameBytes = width * height * 3;
  const isMuch = threadFromBytes !== null && durationSeconds * framesPerSecond * frameBytes >= threadFromBytes;
  return isMuch ? new ThreadedFrames(frameBytes, pool) : new FrameCollector(frameBytes, pool);
}

/** ffmpeg on the file, its pictures on the way into the collector. */
async function startDecoder(
  { tools, file, options, pass }: PassOrder,
  args: readonly string[],
  frames: FrameStream,
  signal: AbortSignal,
): Promise<NotingChild> {
  const output = await openSocketPair(frames.connect, signal, [tmpdir(), dirname(file)]);
  const limits = passLimits(options, pass);
  return await startTool(tools, { tool: 'ffmpeg', args, file, limits, usesGpu: pass.gpu !== null }, { output });
}

async function inDoubt(): Promise<never> {
  throw new PassInDoubt();
}

function passLimits({ wallTimeoutMs, threads, memoryLimitBytes }: DecodeOptions, { gpu }: DecodePass): ChildLimits {
  const limits = limitsFor(wallTimeoutMs, threads, memoryLimitBytes);
  // CUDA reserves address space for all memory of host and GPU, many times what it uses.
  return gpu === null ? limits : { ...limits, memoryBytes: null };
}

/** The frames of a video and, when they have ended, what it turned out to be. */
export interface DecodedVideo {
  readonly frames: AsyncIterable<Frame>;
  /** Throws while frames are left. */
  readonly footage: () => Footage;
}

/**
 * Gives the frames of `decodeFrames` to `use` and resolves or rejects as it does, when ffmpeg is gone. A consumer that leaves while
 * it waits for a frame is told of the end of a generator only after that wait, which may take as long as ffmpeg may be silent.
 */
export async function withDecodedFrames<Result>(
  decode: Parameters<typeof decodeFrames>,
  use: (video: DecodedVideo) => Promise<Result>,
): Promise<Result> {
  const [tools, file, video, options, signal] = decode;
  const left = new AbortController();
  const decoding = decodeFrames(tools, file, video, options, AbortSignal.any([signal, left.signal]));
  let footage: Footage | null = null;
  async function* frames(): AsyncGenerator<Frame> {
    footage = yield* decoding;
  }
  try {
    return await use({
      frames: frames(),
      footage: () => {
        if (footage === null) throw new Error('the footage is known when its last frame was decoded');
        return footage;
      },
    });
  } finally {
    left.abort();
    await decoding
      .return({ durationSeconds: 0, decodedFrames: 0, missing: [], decode: 'exact' })
      .catch(() => undefined);
  }
}
