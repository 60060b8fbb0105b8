import type { Config } from '../config/config.ts';
import { MOST_FRAMES_IN_FLIGHT } from '../config/keys/inference.ts';
import { packFiles, type Pack } from '../packs/load-pack.ts';
import { fittingFrames, LEAST_FRAMES } from './frame-memory.ts';
import { usableCores } from './usable-cores.ts';
import { usableMemory } from './usable-memory.ts';

/** How the models of a worker run, and what feeds them; every `auto` is resolved. */
export interface ExecutionPlan {
  /** Sets of model threads, each with every model opened once more. */
  readonly pipelines: number;
  /** Inside one operator on the CPU; 0: every core. */
  readonly threads: number;
  /** Most frames in one run of detection. */
  readonly detectionBatch: number;
  /** Most people in one run of age and gender, or of orientation. */
  readonly peopleBatch: number;
  /** Most people in one run of the action model. */
  readonly languageBatch: number;
  /** Of the decoder of one video. */
  readonly decoderThreads: number;
  /** Frames of one video between decoding and result. */
  readonly framesInFlight: number;
}

type PlannedModels = Pick<ExecutionPlan, 'pipelines' | 'detectionBatch' | 'peopleBatch' | 'languageBatch'>;

/** What the plan is for. */
export interface Workload {
  readonly device: 'cpu' | 'cuda';
  /** That the process may keep busy. */
  readonly cores: number;
  /** Of the machine, or of the cgroup where that has a limit. */
  readonly memoryBytes: number;
  /** Of the files of the pack. */
  readonly packBytes: number;
  readonly videosAtOnce: number;
}

/** More pairs of threads than this wait for the main thread, which hands the calls out. */
const MOST_PIPELINES = 8;
/** Of one pipeline beside its weights: two threads with their heaps, and what the models work in. */
const PIPELINE_BYTES = 150 * 1024 ** 2;
/** The optimised graph holds some weights in a second layout. */
const WEIGHTS_IN_MEMORY = 1.5;
/** The other half is for frames, decoders, the page cache and whatever else runs there. */
const MEMORY_SHARE = 0.5;
const THREADS_OF_PIPELINE = 2;
/** While one is decided, one is detected and one waits in each thread. */
const FRAMES_OF_PIPELINE = 2;
/**
 * Of all videos together for each pipeline, on a GPU whose batches are eight frames and 64 people: simulated with measured times one does twice
 * as much with 32 as with four, and no more with 64.
 */
const CUDA_FRAMES = 32;
/** As many as ffmpeg takes by itself: more only cost memory. */
export const MOST_DECODER_THREADS = 16;
const CUDA_BATCHES = { detection: 8, people: 64, language: 8 } as const;
const CPU_BATCHES = { detection: 1, people: 1, language: 1 } as const;

/**
 * What was set, and the defaults of the device for the rest. On the CPU a batch only makes calls wait, and a second thread in an operator
 * costs more than it saves, so the cores are filled with pipelines; a GPU is filled by batches.
 */
export function executionPlan(config: Config, workload: Workload): ExecutionPlan {
  const { inference } = config;
  const { cores, device, videosAtOnce } = workload;
  const models = device === 'cuda' ? cudaModels(config) : cpuModels(config, workload);
  const { pipelines } = models;
  return {
    ...models,
    threads: inference.cpuThreads ?? Math.max(1, Math.floor(cores / (pipelines * THREADS_OF_PIPELINE))),
    decoderThreads: decoderThreads(config, { models: device, cores, videosAtOnce }),
    framesInFlight: inference.framesInFlight ?? framesFor(config, pipelines, workload),
  };
}

/** The part of a plan that decides what the models take of a GPU: nothing of the host has a say in it. */
export function cudaModels(config: Config): PlannedModels {
  return { pipelines: config.inference.pipelines ?? 1, ...batchesOf(config, CUDA_BATCHES) };
}

function cpuModels(config: Config, workload: Workload): PlannedModels {
  return { pipelines: config.inference.pipelines ?? pipelinesFor(workload), ...batchesOf(config, CPU_BATCHES) };
}

function batchesOf(
  { inference }: Config,
  auto: typeof CPU_BATCHES | typeof CUDA_BATCHES,
): Omit<PlannedModels, 'pipelines'> {
  return {
    detectionBatch: inference.detectionBatch ?? auto.detection,
    peopleBatch: inference.peopleBatch ?? auto.people,
    languageBatch: inference.languageBatch ?? auto.language,
  };
}

/** At most so many pipelines, whatever the memory allows. */
export function mostPipelines(config: Config, device: 'cpu' | 'cuda', cores: number): number {
  if (device === 'cuda') return cudaModels(config).pipelines;
  return config.inference.pipelines ?? Math.max(1, Math.min(Math.floor(cores / THREADS_OF_PIPELINE), MOST_PIPELINES));
}

/** The plan on this host. */
export function planHere(
  config: Config,
  pack: Pack,
  { device, videosAtOnce }: Pick<Workload, 'device' | 'videosAtOnce'>,
): ExecutionPlan {
  const packBytes = packFiles(pack.manifest).reduce((sum, { bytes }) => sum + bytes, 0);
  const memoryBytes = usableMemory();
  return executionPlan(config, { device, cores: usableCores(), memoryBytes, packBytes, videosAtOnce });
}

interface Decoders {
  /** Where models run beside the decoders; null: nowhere. */
  readonly models: 'cpu' | 'cuda' | null;
  readonly cores: number;
  readonly videosAtOnce: number;
}

/** Of one of so many videos. Models on the CPU want the cores as well, and more decoder threads cost more of them. */
export function decoderThreads(config: Config, { models, cores, videosAtOnce }: Decoders): number {
  return config.decode.threads ?? freeThreads(models === 'cpu' ? Math.floor(cores / 2) : cores, videosAtOnce);
}

/** Cores for each of so many decoders: threads beyond them make the decoding cost more and end no sooner. */
export function freeThreads(cores: number, decoders: number): number {
  return Math.min(MOST_DECODER_THREADS, Math.max(1, Math.floor(cores / decoders)));
}

/** The plan on one line, for a log. */
export function planText(device: 'cpu' | 'cuda', plan: ExecutionPlan): string {
  const { pipelines, threads, detectionBatch, peopleBatch, languageBatch, framesInFlight } = plan;
  const of = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;
  const cpu =
    device === 'cpu' ? `${threads === 0 ? 'a thread for every core' : of(threads, 'thread')} in an operator, ` : '';
  return (
    `the models run on ${device}: ${of(pipelines, 'pipeline')}, ${cpu}batches of ${detectionBatch} (detection), ${peopleBatch} (people) and ${languageBatch} (language); ` +
    `each video has ${of(plan.decoderThreads, 'decoder thread')} and ${of(framesInFlight, 'frame')} in flight`
  );
}

function pipelinesFor({ cores, memoryBytes, packBytes }: Workload): number {
  const each = packBytes * WEIGHTS_IN_MEMORY + PIPELINE_BYTES;
  const fitting = Math.floor((memoryBytes * MEMORY_SHARE) / each);
  return Math.max(1, Math.min(Math.floor(cores / THREADS_OF_PIPELINE), fitting, MOST_PIPELINES));
}

/** A single video, and each of several, has its share of what keeps the pipelines busy, on CUDA as far as the memory goes. */
function framesFor(config: Config, pipelines: number, workload: Workload): number {
  const { device, videosAtOnce } = workload;
  if (device === 'cpu') return Math.max(LEAST_FRAMES, Math.ceil((pipelines * FRAMES_OF_PIPELINE) / videosAtOnce));
  const wanted = Math.ceil((pipelines * CUDA_FRAMES) / videosAtOnce);
  return Math.max(LEAST_FRAMES, Math.min(wanted, fittingFrames(config, workload), MOST_FRAMES_IN_FLIGHT));
}
