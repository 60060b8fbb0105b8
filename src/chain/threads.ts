import { Failure } from '../failure/failure.ts';
import type { ChainStage } from '../failure/stage.ts';
import type { Method } from '../inference/thread/protocol.ts';
import type { ExecutionTarget } from '../inference/providers.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import type { ReadPack } from '../packs/load-pack.ts';
import type { JpegOptions } from './model-chain.ts';
import type { SharedPicture } from './shared-picture.ts';
import type { BatchLimits } from './stage.ts';

/** What a model thread is started with. */
export interface ThreadOptions {
  /** Read and verified by who starts the thread. */
  readonly pack: ReadPack;
  readonly target: ExecutionTarget;
  /** Fill batches up to a few sizes and warm each. */
  readonly padding: boolean;
  readonly batch: BatchLimits;
  /** In shared memory: 1 once another thread of the chain has no GPU memory, so that what is left of this start is in vain. */
  readonly inVain: Int32Array;
  /** The models that it opens, of those that its kind of thread knows. */
  readonly stages: readonly ChainStage[];
}

/** Throws where the rest of a thread's start is in vain. */
export function assertNotInVain({ inVain }: Pick<ThreadOptions, 'inVain'>): void {
  if (Atomics.load(inVain, 0) === 0) return;
  throw new Failure('CUDA_OUT_OF_MEMORY', 'the GPU has no memory for the models of another thread');
}

interface Call<Request, Response> extends Method {
  readonly request: Request;
  readonly response: Response;
}

/** A question to a model about a frame; what is asked and answered is the stage's contract. */
interface Question {
  readonly stage: ChainStage;
  readonly frame: SharedPicture;
  readonly ask: readonly unknown[];
}

/** Meters of the stages of one thread. */
type Meters = Readonly<Partial<Record<ChainStage, StageMeter>>>;

/** What every model thread does. It keeps no frame: each call brings the one that it is about. */
export interface ModelMethods {
  readonly answer: Call<Question, unknown>;
  readonly meters: Call<null, Meters>;
  /** Runs no more items at once from now on, and gives back the GPU memory of larger runs. */
  readonly lower: Call<{ readonly most: number }, void>;
}

/** The models that look at whole frames and at crops with small inputs. */
export interface VisionMethods extends ModelMethods {
  readonly jpeg: Call<{ readonly frame: SharedPicture; readonly options: JpegOptions }, Uint8Array>;
  readonly difference: Call<{ readonly frame: SharedPicture; readonly other: SharedPicture }, number>;
}

/** The vision-language model in its own thread: a long prefill does not hold up detection. */
export type LanguageMethods = ModelMethods;
