import type { ChainStage } from '../failure/stage.ts';
import type { Method } from '../inference/thread/protocol.ts';
import type { ExecutionTarget } from '../inference/providers.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import type { JpegOptions } from './model-chain.ts';
import type { BatchLimits } from './stage.ts';

/** What a model thread is started with. */
export interface ThreadOptions {
  readonly packDir: string;
  readonly filesRoot: string;
  readonly target: ExecutionTarget;
  /** Fill batches up to a few sizes and warm each. */
  readonly padding: boolean;
  readonly batch: BatchLimits;
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

/** A question to a model about a frame; what is asked and answered is the stage's contract. */
interface Question {
  readonly stage: ChainStage;
  readonly handle: number;
  readonly ask: readonly unknown[];
}

/** Meters of the stages of one thread. */
type Meters = Readonly<Partial<Record<ChainStage, StageMeter>>>;

/** Frames by handle, and the models that look at whole frames and at crops with small inputs. */
export interface VisionMethods {
  readonly addFrame: Call<{ readonly handle: number; readonly picture: OwnedPicture }, void>;
  readonly releaseFrame: Call<{ readonly handle: number }, void>;
  readonly answer: Call<Question, unknown>;
  /** Copies of the pixels that a model of the language thread is to see. */
  readonly crops: Call<Question, readonly OwnedPicture[]>;
  readonly jpeg: Call<{ readonly handle: number; readonly options: JpegOptions }, Uint8Array>;
  readonly meters: Call<null, Meters>;
}

/** The vision-language model in its own thread: a long prefill does not hold up detection. */
export interface LanguageMethods {
  readonly answer: Call<{ readonly stage: ChainStage; readonly pictures: readonly OwnedPicture[] }, unknown>;
  readonly meters: Call<null, Meters>;
}
