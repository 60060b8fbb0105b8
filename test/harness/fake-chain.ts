import type {
  ActionReading,
  AgeGender,
  Detection,
  FaceBodyPair,
  FrameHandle,
  JpegOptions,
  ModelChain,
  Orientation,
  StageTiming,
} from '../../src/chain/model-chain.ts';
import { perStage } from '../../src/chain/per-stage.ts';
import type { ChainStage } from '../../src/failure/stage.ts';
import type { Box } from '../../src/vision/box.ts';
import type { Frame } from '../../src/video/frame.ts';
import type { VideoInfo } from '../../src/video/video-info.ts';

/** One scripted person of one frame. */
export interface ScriptedPerson {
  readonly box: readonly [number, number, number, number];
  readonly score?: number;
  readonly face?: readonly [number, number, number, number];
  readonly action?: string;
  readonly orientation?: number;
  readonly age?: number;
  readonly gender?: 'male' | 'female';
}

/** People by sample number. */
export type Script = (sample: number) => readonly ScriptedPerson[];

export interface FakeChainOptions {
  /** Called before each answer; may wait or throw. */
  readonly before?: (stage: string, sample: number, signal: AbortSignal) => Promise<void> | void;
  readonly describe?: (sample: number) => string;
}

const box = ([x1, y1, x2, y2]: readonly [number, number, number, number]): Box => ({ x1, y1, x2, y2 });
const same = (a: Box, b: Box): boolean => a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2;

/** A chain that answers from a script and keeps the books on its frame handles. */
export class FakeChain implements ModelChain {
  readonly description = {
    packName: 'scripted',
    packFingerprint: 'f'.repeat(64),
    device: 'cpu',
    vocabulary: ['standing', 'walking', 'grabbing', 'falling', 'none'],
  } as const;
  readonly script: Script;
  readonly options: FakeChainOptions;
  readonly open = new Map<FrameHandle, number>();
  readonly calls: { readonly stage: string; readonly sample: number; readonly items: number }[] = [];
  readonly jpegs: { readonly sample: number; readonly options: JpegOptions }[] = [];
  mostOpen = 0;
  #next = 1;

  constructor(script: Script, options: FakeChainOptions = {}) {
    this.script = script;
    this.options = options;
  }

  addFrame(frame: Frame): FrameHandle {
    const handle = this.#next as FrameHandle;
    this.#next += 1;
    this.open.set(handle, frame.sample);
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    return handle;
  }

  releaseFrame(handle: FrameHandle): void {
    if (!this.open.delete(handle)) throw new Error(`handle ${String(handle)} is released twice`);
  }

  async detection(handle: FrameHandle, signal: AbortSignal): Promise<readonly Detection[]> {
    const people = await this.#answer('detection', handle, 1, signal);
    return people
      .flatMap((person): Detection[] => [
        { class: 'person', box: box(person.box), score: person.score ?? 0.9 },
        ...(person.face === undefined ? [] : [{ class: 'face' as const, box: box(person.face), score: 0.8 }]),
      ])
      .sort((a, b) => b.score - a.score);
  }

  async ageGender(
    handle: FrameHandle,
    detections: readonly Detection[],
    pairs: readonly FaceBodyPair[],
    signal: AbortSignal,
  ): Promise<readonly (AgeGender | null)[]> {
    const people = await this.#answer('ageGender', handle, pairs.length, signal);
    return pairs.map((pair) => {
      const body = pair.person === null ? undefined : detections[pair.person]?.box;
      const person = people.find((candidate) => body !== undefined && same(box(candidate.box), body));
      if (person?.age === undefined) return null;
      return { age: person.age, gender: person.gender ?? 'male', genderScore: 0.9 };
    });
  }

  async orientation(handle: FrameHandle, boxes: readonly Box[], signal: AbortSignal): Promise<readonly Orientation[]> {
    const people = await this.#answer('orientation', handle, boxes.length, signal);
    return boxes.map((wanted) => ({
      degrees: people.find((person) => same(box(person.box), wanted))?.orientation ?? 180,
      score: 0.7,
    }));
  }

  async action(handle: FrameHandle, boxes: readonly Box[], signal: AbortSignal): Promise<readonly ActionReading[]> {
    const people = await this.#answer('action', handle, boxes.length, signal);
    return boxes.map((wanted) => ({
      label: people.find((person) => same(box(person.box), wanted))?.action ?? 'none',
      score: 0.8,
      labelScores: [],
    }));
  }

  async scene(handle: FrameHandle, signal: AbortSignal): Promise<string> {
    const sample = this.open.get(handle) ?? -1;
    await this.#answer('scene', handle, 1, signal);
    return this.options.describe?.(sample) ?? `scene ${sample}`;
  }

  async jpeg(handle: FrameHandle, options: JpegOptions, signal: AbortSignal): Promise<Uint8Array> {
    await this.#answer('jpeg', handle, 1, signal);
    this.jpegs.push({ sample: this.open.get(handle) ?? -1, options });
    return new TextEncoder().encode(`jpeg of ${this.open.get(handle)}`);
  }

  async timings(): Promise<Readonly<Record<ChainStage, StageTiming>>> {
    return perStage((stage) => {
      const calls = this.calls.filter((call) => call.stage === stage);
      return { runs: calls.length, items: calls.reduce((sum, { items }) => sum + items, 0), runMs: 0, totalMs: 0 };
    });
  }

  async close(): Promise<void> {}

  async #answer(
    stage: string,
    handle: FrameHandle,
    items: number,
    signal: AbortSignal,
  ): Promise<readonly ScriptedPerson[]> {
    signal.throwIfAborted();
    const sample = this.open.get(handle);
    if (sample === undefined) throw new Error(`${stage} is asked about a released frame`);
    this.calls.push({ stage, sample, items });
    await this.options.before?.(stage, sample, signal);
    signal.throwIfAborted();
    if (!this.open.has(handle)) throw new Error(`the frame was released during ${stage}`);
    return this.script(sample);
  }
}

/** A 10 fps video of the given length in sampled frames (1.5 per second). */
export function scriptedVideo(samples: number): VideoInfo {
  return {
    container: 'mov,mp4',
    codec: 'h264',
    pixelFormat: 'yuv420p',
    width: 1280,
    height: 720,
    rotation: 0,
    frameRate: 10,
    durationSeconds: samples / 1.5,
    sizeBytes: 1000,
  };
}

/** The sampled frames of a scripted video, without pixels. */
export async function* scriptedFrames(samples: number): AsyncGenerator<Frame> {
  for (let sample = 0; sample < samples; sample++) {
    const index = Math.ceil((sample * 20) / 3);
    yield { sample, index, t: index / 10, width: 1280, height: 720, pixels: new Uint8Array(new ArrayBuffer(0)) };
  }
}
