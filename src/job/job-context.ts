import type { AnalysisProgress } from '../analysis/progress.ts';
import type { AnalysisSettings } from '../analysis/settings.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { RetryPolicy } from '../failure/retry.ts';
import type { Database } from '../persistence/client.ts';
import type { Job } from '../queue/messages/job.ts';
import type { SceneDescriber } from '../analysis/scene-writer.ts';
import type { DownloadLimits } from '../storage/download.ts';
import type { S3Client } from '../storage/s3-client.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DecodeOptions } from '../video/decode/decode.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import type { VideoLimits } from '../video/probe/video-limits.ts';
import type { Delivery } from '../worker/delivery.ts';
import type { MeasureFileSystem, WorkDirSpace } from '../storage/work-dir-space.ts';
import type { Workspaces } from '../storage/workspace.ts';
import type { JobStages } from './job-stages.ts';
import type { StoreDoubt } from './store-doubt.ts';
import type { ToolCheck } from './tool-check.ts';

export interface VideoProcessorDeps {
  readonly database: Database;
  readonly s3: S3Client;
  readonly tools: FfmpegTools;
  readonly chain: ModelChain;
  readonly describer: SceneDescriber | null;
  readonly logger: Logger;
  /** Where the files of the jobs are. */
  readonly workFolder: Workspaces;
  /** How much room there is in WORK_DIR; its file system is asked when absent. */
  readonly measureWorkDir?: MeasureFileSystem;
  /** Told of every step of every job, for metrics and the operator's console. */
  readonly onProgress?: (job: Job, progress: AnalysisProgress) => void;
  /** Told of every analysis that was made, stored or not. */
  readonly onAnalysed?: (analysis: VideoAnalysis) => void;
  /** Told of every analysis that readers can see now. */
  readonly onStored?: (analysis: VideoAnalysis) => void;
}

export interface VideoProcessorSettings {
  readonly workerId: string;
  readonly analysis: AnalysisSettings;
  readonly decode: Omit<DecodeOptions, 'framesPerSecond'>;
  readonly download: DownloadLimits;
  readonly video: VideoLimits;
  /** Null: highlight images are not kept. */
  readonly highlightsBucket: string | null;
  /** Rows that one result may have. */
  readonly maxResultRows: number;
  /** An image that cannot be stored fails the job, instead of leaving its event without one. */
  readonly highlightsRequired: boolean;
  /** Of an upload; RETRY_POLICIES.default when absent. */
  readonly highlightsRetry?: RetryPolicy;
  /** Why a job asks for nothing, by its bucket and key; null where it asks for work. */
  readonly ignores: (job: Job) => string | null;
  /** How long a run counts as alive without a sign of life from its worker. */
  readonly aliveSeconds: number;
  /** How long a message stays hidden without a sign of life from its worker. */
  readonly leaseSeconds: number;
}

/** Made once for all jobs of a worker. */
export interface SharedByJobs {
  readonly toolCheck: ToolCheck;
  readonly space: WorkDirSpace;
  readonly storeDoubt: StoreDoubt;
}

/** What every step of one job needs. */
export interface JobContext {
  readonly deps: VideoProcessorDeps;
  readonly settings: VideoProcessorSettings;
  readonly delivery: Delivery;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly stages: JobStages;
  /** What all jobs of the worker share. */
  readonly shared: SharedByJobs;
}
