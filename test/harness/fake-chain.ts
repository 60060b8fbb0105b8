import type {
  Detection,
  FaceBodyPair,
  FrameHandle,
  JpegOptions,
  ModelChain,
  StageContracts,
  StageMethods,
  StageTiming,
} from '../../src/chain/model-chain.ts';
import { perStage } from '../../src/chain/per-stage.ts';
import type { ChainStage } from '../../src/failure/stage.ts';
import type { Box } from '../../src/vision/box.ts';
import type { Frame } from '../../src/video/frame.ts';
import type { VideoInfo } from '../../src/video/video-info.ts';
import { sharedFrame } from './shared-frame.ts';

/** One scripted person of one frame. */
export interface ScriptedPerson {
  readonly box: readonly [number, number, number, number];
  readonly score?: number;
  readonly face?: readonly [number, number, number, number];
  readonly action?: string;
  readonly orientation?: number;
  /** Absent where nothing of the person can be read. */
  readonly age?: number;
  readonly gender?: 'male' | 'female';
}

/** People by sample number. */
export type Script = (sample: number) => readonly ScriptedPerson[];

export interface FakeChainOptions {
  /** Called before each answer, about so many frames or persons; may wait or throw. */
  readonly before?: (stage: string, sample: number, signal: AbortSignal, items: number) => Promise<void> | void;
  readonly describe?: (sample: number) => string;
  /** Levels by which the pictures of two samples differ. */
  readonly difference?: (sample: number, other: number) => number;
}

const box = ([x1, y1, x2, y2]: readonly [number, number, number, number]): Box => ({ x1, y1, x2, y2 });
const same = (a: Box, b: Box): boolean => a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2;

interface Scene {
  readonly people: readonly ScriptedPerson[];
  readonly sample: number;
  readonly options: FakeChainOptions;
}

type Answers = {
  readonly [Stage in ChainStage]: (
    scene: Scene,
    ...ask: StageContracts[Stage]['ask']
  ) => StageContracts[Stage]['answer'];
};

/** A model that is not here answers nobody. */
const ANSWERS: Partial<Answers> = {
  detection: ({ people }) =>
    people
      .flatMap((person): Detection[] => [
        { class: 'person', box: box(person.box), score: person.score ?? 0.9 },
        ...(person.face === undefined ? [] : [{ class: 'face' as const, box: box(person.face), score: 0.8 }]),
      ])
      .sort((a, b) => b.score - a.score),
  ageGender: ({ people }, detections, pairs) =>
    pairs.map((pair) => {
      const person = personAt(people, pair.person === null ? undefined : detections[pair.person]?.box);
      if (person?.age === undefined) return null;
      return { age: person.age, gender: person.gender ?? 'male', genderScore: 0.9 };
    }),
  orientation: ({ people }, boxes) =>
    boxes.map((wanted) => ({ degrees: personAt(people, wanted)?.orientation ?? 180, score: 0.7 })),
  action: ({ people }, boxes) =>
    boxes.map((wanted) => ({ label: personAt(people, wanted)?.action ?? 'none', score: 0.8, labelScores: [] })),
  scene: ({ sample, options }) => options.describe?.(sample) ?? `scene ${sample}`,
};

function personAt(people: readonly ScriptedPerson[], wanted: Box | undefined): ScriptedPerson | undefined {
  return people.find((person) => wanted !== undefined && same(box(person.box), wanted));
}

class ScriptedChain implements Omit<ModelChain, ChainStage> {
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
  readonly #frames = new Map<FrameHandle, Frame>();
  #next = 1;

  constructor(script: Script, options: FakeChainOptions = {}) {
    this.script = script;
    this.options = options;
    Object.assign(
      this,
      perStage(
        (stage) =>
          (handle: FrameHandle, ...rest: readonly unknown[]) =>
            this.#ask(stage, handle, rest),
      ),
    );
  }

  addFrame(frame: Frame): FrameHandle {
    const handle = this.#next as FrameHandle;
    this.#next += 1;
    this.open.set(handle, frame.sample);
    this.#frames.set(handle, frame);
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    return handle;
  }

  releaseFrame(handle: FrameHandle): void {
    if (!this.open.delete(handle)) throw new Error(`handle ${String(handle)} is released twice`);
    this.#frames.get(handle)?.release();
    this.#frames.delete(handle);
  }

  isReadable(handle: FrameHandle, detections: readonly Detection[], { person }: FaceBodyPair): boolean {
    const sample = this.open.get(handle);
    if (sample === undefined) throw new Error('a released frame is asked about');
    return personAt(this.script(sample), person === null ? undefined : detections[person]?.box)?.age !== undefined;
  }

  async jpeg(handle: FrameHandle, options: JpegOptions, signal: AbortSignal): Promise<Uint8Array> {
    await this.#look('jpeg', handle, 1, signal);
    this.jpegs.push({ sample: this.open.get(handle) ?? -1, options });
    return new TextEncoder().encode(`jpeg of ${this.open.get(handle)}`);
  }

  async difference(handle: FrameHandle, other: FrameHandle, signal: AbortSignal): Promise<number> {
    const { sample } = await this.#look('difference', handle, 1, signal);
    const against = this.open.get(other);
    if (against === undefined) throw new Error('the frame to compare with is released');
    return this.options.difference?.(sample, against) ?? 255;
  }

  async timings(): Promise<Readonly<Record<ChainStage, StageTiming>>> {
    return perStage((stage) => {
      const calls = this.calls.filter((call) => call.stage === stage);
      return { runs: calls.length, items: calls.reduce((sum, { items }) => sum + items, 0), runMs: 0, totalMs: 0 };
    });
  }

  async close(): Promise<void> {}

  /** The last of what is asked, where anything is, lists the persons. */
  async #ask(stage: ChainStage, handle: FrameHandle, rest: readonly unknown[]): Promise<unknown> {
    const ask = rest.slice(0, -1);
    const asked = ask.at(-1);
    const items = Array.isArray(asked) ? asked.length : 1;
    const scene = await this.#look(stage, handle, items, rest.at(-1) as AbortSignal);
    const answer = ANSWERS[stage] as ((scene: Scene, ...ask: readonly unknown[]) => unknown) | undefined;
    return answer === undefined ? [] : answer(scene, ...ask);
  }

  async #look(stage: string, handle: FrameHandle, items: number, signal: AbortSignal): Promise<Scene> {
    signal.throwIfAborted();
    const sample = this.open.get(handle);
    if (sample === undefined) throw new Error(`${stage} is asked about a released frame`);
    this.calls.push({ stage, sample, items });
    await this.options.before?.(stage, sample, signal, items);
    signal.throwIfAborted();
    if (!this.open.has(handle)) throw new Error(`the frame was released during ${stage}`);
    return { people: this.script(sample), sample, options: this.options };
  }
}

/** A chain that answers from a script and keeps the books on its frame handles. */
export type FakeChain = ScriptedChain & StageMethods;
export const FakeChain = ScriptedChain as new (script: Script, options?: FakeChainOptions) => FakeChain;

/** A 10 fps video of the given length in sampled frames (1.5 per second). */
export function scriptedVideo(samples: number): VideoInfo {
  return {
    container: 'mov,mp4',
    codec: 'h264',
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
    yield sharedFrame({ sample, index, t: index / 10, width: 1280, height: 720 });
  }
}
