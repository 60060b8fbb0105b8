/**
 * How a video is decoded. `exact`: every frame, and of each interval the first one is the sample. `fast`: frames that no other frame needs
 * are left out, and of each interval the first one that was decoded is the sample, in the very pixels and at the time that it has in `exact`.
 */
export type DecodeMode = 'exact' | 'fast';

/** One way through a file, from its beginning to its end. */
export interface DecodePass {
  /** Nothing, the frames that no other frame refers to, or all frames but the key frames. */
  readonly leftOut: 'nothing' | 'unreferenced' | 'all-but-keys';
  /** CUDA's number of the GPU whose video decoder is used; null: the processor decodes. */
  readonly gpu: number | null;
}

/** What the choice of the passes goes by. */
export interface PassQuestion {
  readonly mode: DecodeMode;
  readonly gpu: number | null;
  readonly container: string;
  /** False where packets are known that do not tell when they are shown. */
  readonly isTimed: boolean;
  readonly codec: string;
  readonly pixelFormat: string | null;
  readonly frameRate: number;
  /** Samples. */
  readonly framesPerSecond: number;
}

/** By the processor, with nothing left out: what any other pass is measured by. */
export const WHOLE_PASS: DecodePass = { leftOut: 'nothing', gpu: null };

/** Codecs whose frames were seen to be the same ones, bit for bit, when others are left out. */
const SKIPPABLE: ReadonlySet<string> = new Set(['h264', 'hevc']);

/** Its times are those of decoding: when a picture is shown, the decoder concludes from all that it is given. */
const WITHOUT_TIMES_OF_SHOWING: ReadonlySet<string> = new Set(['avi']);

/** What GPUs decode, and to pictures that become those of the processor without a change of any value. */
const GPU_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc']);
const GPU_FORMATS: ReadonlySet<string> = new Set(['yuv420p', 'yuvj420p']);

/** With fewer frames for each sample there is little to leave out, and a pass that leaves too much would be made in vain. */
const LEAST_FRAMES_PER_SAMPLE = 4;

/** The passes over a file in the order in which they are tried, the cheapest first; what the last one says is final. */
export function passesFor(question: PassQuestion): readonly DecodePass[] {
  const { mode, container, isTimed, codec, pixelFormat, frameRate, framesPerSecond } = question;
  const gpu = GPU_CODECS.has(codec) && GPU_FORMATS.has(pixelFormat ?? '') ? question.gpu : null;
  const isSkippable = SKIPPABLE.has(codec) && isTimed && !WITHOUT_TIMES_OF_SHOWING.has(container);
  const isWorthIt = isSkippable && frameRate >= LEAST_FRAMES_PER_SAMPLE * framesPerSecond;
  const fast = (['all-but-keys', 'unreferenced'] as const).map((leftOut) => ({ leftOut, gpu }));
  return [...(mode === 'fast' && isWorthIt ? fast : []), ...(gpu === null ? [] : [{ ...WHOLE_PASS, gpu }]), WHOLE_PASS];
}

const SKIPPED: Readonly<Record<DecodePass['leftOut'], readonly string[]>> = {
  nothing: [],
  unreferenced: ['-skip_frame', 'noref'],
  'all-but-keys': ['-skip_frame', 'nokey'],
};

/** Options of ffmpeg's decoder, before `-i`. */
export function decoderOptions({ leftOut, gpu }: DecodePass, threads: number): readonly string[] {
  // The GPU works on several pictures by itself: threads would only hold more of its memory.
  const device = gpu === null ? [] : ['-hwaccel', 'cuda', '-hwaccel_device', String(gpu)];
  return ['-threads', String(gpu === null ? threads : 1), ...device, ...SKIPPED[leftOut]];
}

/**
 * Filters between the sampling and the scaling. A GPU's decoder gives the values of the processor's with both colours in one plane, which
 * ffmpeg would turn into slightly other RGB; in planes of their own they become the very pixels that the processor leads to. Each picture
 * keeps its own size there: a filter that ffmpeg puts in by itself would bring it to the first one's.
 */
export function planeFilters({ gpu }: DecodePass, pixelFormat: string | null): readonly string[] {
  return gpu === null || pixelFormat === null ? [] : ['scale=eval=frame', `format=${pixelFormat}`];
}
