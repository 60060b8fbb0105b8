import type { ChainStage } from '../failure/stage.ts';
import type { Box } from '../vision/box.ts';
import type { Frame } from '../video/frame.ts';

type DetectionClass = 'person' | 'face';
export type Gender = 'male' | 'female';

/** One box found in a frame, in source pixels, clipped to the picture. */
export interface Detection {
  readonly class: DetectionClass;
  readonly box: Box;
  /** 0..1 */
  readonly score: number;
}

/** Indices into the detections of one frame; at least one of the two is not null. */
export interface FaceBodyPair {
  readonly person: number | null;
  readonly face: number | null;
}

export interface AgeGender {
  /** Years, two decimals, not clamped. */
  readonly age: number;
  readonly gender: Gender;
  readonly genderScore: number;
}

export interface Orientation {
  /** 0..355 in steps of 5. 0 = back to the camera, 90 = image-left, 180 = towards the camera, 270 = image-right. */
  readonly degrees: number;
  readonly score: number;
}

export interface ActionReading {
  readonly label: string;
  /** Softmax over the vocabulary's label scores. */
  readonly score: number;
  /** Log-probability per label, in vocabulary order. */
  readonly labelScores: readonly number[];
}

export interface ChainDescription {
  readonly packName: string;
  /** Hash over the manifest and every file: part of a job's identity. */
  readonly packFingerprint: string;
  readonly device: 'cpu' | 'cuda';
  readonly vocabulary: readonly string[];
}

export interface StageTiming {
  /** Calls of `session.run`. */
  readonly runs: number;
  /** Frames, crops or prompts. */
  readonly items: number;
  /** Milliseconds inside `session.run`. */
  readonly runMs: number;
  /** Milliseconds of the whole stage in its thread, preparation included. */
  readonly totalMs: number;
}

export interface JpegOptions {
  /** Drawn as a rectangle on the picture. */
  readonly box?: Box;
  readonly caption?: string;
  readonly maxWidth?: number;
  readonly quality?: number;
}

declare const frameHandle: unique symbol;
/** A frame that the chain holds. Its pixels stay where they are: every thread reads them in place. */
export type FrameHandle = number & { readonly [frameHandle]: true };

/** What a model is asked, beside the frame and a signal, and what it answers. */
interface Contract<Ask extends readonly unknown[], Answer> {
  readonly ask: Ask;
  readonly answer: Answer;
}

/** The models by name. */
export interface StageContracts {
  /** By descending score. */
  readonly detection: Contract<[], readonly Detection[]>;
  /** One reading per pair; null where neither a usable face nor a usable body is left after blanking. */
  readonly ageGender: Contract<
    [detections: readonly Detection[], pairs: readonly FaceBodyPair[]],
    readonly (AgeGender | null)[]
  >;
  readonly orientation: Contract<[boxes: readonly Box[]], readonly Orientation[]>;
  readonly action: Contract<[boxes: readonly Box[]], readonly ActionReading[]>;
  /** One or two sentences about the picture by the local vision-language model; SCENE_FAILED where the chain was opened without it. */
  readonly scene: Contract<[], string>;
}

/** The models as methods: a frame's handle, what is asked, and a signal. */
export type StageMethods = {
  readonly [Stage in ChainStage]: (
    handle: FrameHandle,
    ...ask: [...StageContracts[Stage]['ask'], signal: AbortSignal]
  ) => Promise<StageContracts[Stage]['answer']>;
};

/**
 * The models, in their own threads. Calls of several videos are batched together there; an aborted call rejects with the signal's
 * reason. Every handle is released by its owner, also after an error.
 */
export interface ModelChain extends StageMethods {
  readonly description: ChainDescription;
  /**
   * Takes the frame over, and releases it when its handle is released and no model reads its pixels any more; one that it refuses with an
   * error stays the caller's.
   */
  addFrame(frame: Frame): FrameHandle;
  releaseFrame(handle: FrameHandle): void;
  /**
   * Whether `ageGender` will read the pair, known at once: a usable face or body is left of it. Its `null` comes too late for who has to
   * choose between crops while others are under way.
   */
  isReadable(handle: FrameHandle, detections: readonly Detection[], pair: FaceBodyPair): boolean;
  jpeg(handle: FrameHandle, options: JpegOptions, signal: AbortSignal): Promise<Uint8Array>;
  /** How far two frames differ where they differ most: levels of 0..255 of a small block's mean colour; 255 for other sizes. */
  difference(handle: FrameHandle, other: FrameHandle, signal: AbortSignal): Promise<number>;
  timings(): Promise<Readonly<Record<ChainStage, StageTiming>>>;
  close(): Promise<void>;
}
