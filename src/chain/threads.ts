import type { Method } from '../inference/thread/protocol.ts';
import type { ExecutionTarget } from '../inference/providers.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import type { Box } from '../vision/box.ts';
import type { ActionReading, AgeGender, Detection, FaceBodyPair, JpegOptions, Orientation } from './model-chain.ts';

/** What a model thread is started with. */
export interface ThreadOptions {
  readonly packDir: string;
  readonly filesRoot: string;
  readonly target: ExecutionTarget;
  /** Fill batches up to a few sizes and warm each. */
  readonly padding: boolean;
  readonly batch: { readonly detection: number; readonly people: number; readonly language: number };
}

/** A picture whose pixels own their ArrayBuffer, so that they can be transferred. */
export interface OwnedPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

interface Call<Request, Response> extends Method {
  readonly request: Request;
  readonly response: Response;
}

/** Frames by handle, and the models that look at whole frames and at crops with small inputs. */
export interface VisionMethods {
  readonly addFrame: Call<{ readonly handle: number; readonly picture: OwnedPicture }, void>;
  readonly releaseFrame: Call<{ readonly handle: number }, void>;
  readonly detect: Call<{ readonly handle: number }, readonly Detection[]>;
  readonly ageGender: Call<
    { readonly handle: number; readonly detections: readonly Detection[]; readonly pairs: readonly FaceBodyPair[] },
    readonly (AgeGender | null)[]
  >;
  readonly orientation: Call<{ readonly handle: number; readonly boxes: readonly Box[] }, readonly Orientation[]>;
  /** Copies of the boxes' pixels, for the language thread. */
  readonly crops: Call<{ readonly handle: number; readonly boxes: readonly Box[] }, readonly OwnedPicture[]>;
  readonly jpeg: Call<{ readonly handle: number; readonly options: JpegOptions }, Uint8Array>;
  readonly meters: Call<
    null,
    { readonly detection: StageMeter; readonly ageGender: StageMeter; readonly orientation: StageMeter }
  >;
}

/** The vision-language model in its own thread: a long prefill does not hold up detection. */
export interface LanguageMethods {
  readonly action: Call<{ readonly crops: readonly OwnedPicture[] }, readonly ActionReading[]>;
  readonly describe: Call<{ readonly frame: OwnedPicture }, string>;
  readonly meters: Call<null, { readonly action: StageMeter; readonly scene: StageMeter }>;
}
