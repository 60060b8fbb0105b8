import type { FailureCode } from '../../../src/failure/codes.ts';
import type { FootageGround } from './footage-ground.ts';
import type { Corners } from './picture.ts';

/** A number, or the smallest and the largest that is right. */
export type Range = number | readonly [low: number, high: number];

/** What is right for a file, sampled at 1.5 frames a second; what is absent may be anything. */
export interface RightValues {
  /** Refused with this code. */
  readonly code?: FailureCode | undefined;
  readonly width?: Range | undefined;
  readonly height?: Range | undefined;
  /** Sampled frames. */
  readonly frames?: Range | undefined;
  /** Time of the first sample; within a third of a second. */
  readonly firstT?: number | undefined;
  /** Time of the last sample; within a second. */
  readonly lastT?: number | undefined;
  /** Where the video ends once it is decoded; within 6 %. */
  readonly durationSeconds?: number | undefined;
  readonly maxFrameRate?: number | undefined;
  /** Frame `index` holds this number plus the index, and its time is that number times `secondsPerNumber` behind the first sample's. */
  readonly numbersFrom?: number | undefined;
  readonly secondsPerNumber?: number | undefined;
  /** Colours of every sampled picture. */
  readonly corners?: Corners | undefined;
  /** The mean colour of every sampled picture is that of these quarters with the frame's number in the middle. */
  readonly mean?: Corners | undefined;
  /** Stretches that are told to be missing, each end within a second; null: to an end that nobody knows. Empty: nothing is missing. */
  readonly missing?: readonly (readonly [fromSeconds: number, toSeconds: number | null])[] | undefined;
  /** Something is told to be missing, wherever. */
  readonly degraded?: true | undefined;
  /** Right when one of these is. */
  readonly either?: readonly RightValues[] | undefined;
}

/** The usual recording: twelve seconds at ten frames a second, whole, whatever is odd about its file. */
export const TWELVE: RightValues = {
  width: 64,
  height: 48,
  frames: 18,
  firstT: 0,
  lastT: 11.4,
  durationSeconds: 12,
  missing: [],
  numbersFrom: 0,
  secondsPerNumber: 0.1,
};

/** A recording that a player plays, or that is none. */
export interface FootageFile {
  readonly name: string;
  /** What is odd about it. */
  readonly why: string;
  readonly right: RightValues;
  /** Another file of every run shows the same oddity in another container or orientation: this one is held with `TEST_DEPTH=deep` only. */
  readonly isOnlyDeep?: boolean;
  readonly make: (ground: FootageGround) => Promise<Buffer>;
}
