import { readFileSync, writeFileSync } from 'node:fs';
import { analyzeVideo } from '../../analysis/analyze-video.ts';
import type { AnalysisSettings } from '../../analysis/settings.ts';
import type { Config } from '../../config/config.ts';
import { createWorkspace } from '../../storage/work-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ProbedVideo } from '../../video/probed-video.ts';
import type { FfmpegTools } from '../../video/tools/ffmpeg-binary.ts';
import type { ExecutionPlan } from '../execution-plan.ts';
import { analysisSettings, decodeSettings, readZones } from '../job-settings.ts';
import { openModels, type Models } from '../open-parts.ts';
import { footageOf, framesAgain, type FrameLimit } from './frames-again.ts';
import type { Measurement } from './search.ts';

/** What is measured with every plan. */
export interface Subject {
  readonly config: Config<'models'>;
  readonly device: 'cpu' | 'cuda';
  readonly videosAtOnce: number;
  readonly tools: FfmpegTools;
  readonly file: string;
  readonly info: ProbedVideo;
  readonly logger: Logger;
}

export interface MeasuredRun extends Measurement {
  /** Of each video. */
  readonly frames: number;
  /** In all videos. */
  readonly persons: number;
  readonly openedMs: number;
}

/** Opens a chain with the plan, analyses so many frames of every video at once, and closes it. Nothing of it stays. */
export async function measurePlan(
  subject: Subject,
  plan: ExecutionPlan,
  limit: FrameLimit,
  signal: AbortSignal,
): Promise<MeasuredRun> {
  const { config, device, videosAtOnce, logger } = subject;
  const settings = await measuredSettings(config, plan);
  await using workspace = await createWorkspace(config.worker.workDir, 'tune', config.worker.workDirParents);
  forgetPeak();
  const began = performance.now();
  // What is measured is to be what the plan says.
  const opening = { device, videosAtOnce, plan, exactBatches: true, isVerified: true, logger, signal };
  await using models = await openModels(config, opening);
  const opened = performance.now();
  const cpuBefore = cpuMs();
  const decode = decodeSettings(config, plan, { device, videosAtOnce });
  const analyses = await Promise.all(
    Array.from({ length: videosAtOnce }, async (_, index) =>
      analyzeOne({ subject, models, settings, decode, folder: workspace.path(`video-${index}`), limit }, signal),
    ),
  );
  const frames = analyses.reduce((sum, { sampling }) => sum + sampling.frames, 0);
  return {
    framesPerSecond: (frames * 1_000) / (performance.now() - opened),
    cpuMsPerFrame: (cpuMs() - cpuBefore) / frames,
    peakMib: peakMib(),
    frames: Math.max(...analyses.map(({ sampling }) => sampling.frames)),
    persons: analyses.reduce((sum, { tracks }) => sum + tracks.length, 0),
    openedMs: opened - began,
  };
}

interface OneVideo {
  readonly subject: Subject;
  readonly models: Models;
  readonly settings: AnalysisSettings;
  readonly decode: ReturnType<typeof decodeSettings>;
  readonly folder: string;
  readonly limit: FrameLimit;
}

async function analyzeOne(video: OneVideo, signal: AbortSignal): ReturnType<typeof analyzeVideo> {
  const { settings, models, decode, folder, limit } = video;
  const { tools, file, info, logger } = video.subject;
  const options = { ...decode, framesPerSecond: settings.framesPerSecond };
  return await analyzeVideo(
    {
      videoId: 'tune',
      info,
      frames: framesAgain([tools, file, info, options, signal], limit),
      footage: () => footageOf(info),
      workspaceDir: folder,
    },
    { chain: models.chain, describer: null, logger },
    settings,
    () => undefined,
    signal,
  );
}

/** As in the daemon, but for calls that are paid for and highlight images that nobody reads. */
async function measuredSettings(config: Config, plan: ExecutionPlan): Promise<AnalysisSettings> {
  const settings = analysisSettings(config, plan, await readZones(config));
  return {
    ...settings,
    scene: settings.scene === 'bedrock' ? 'off' : settings.scene,
    events: { ...settings.events, highlightActions: [] },
  };
}

/** From here on the kernel notes the peak anew; where it does not, the peak is that of the whole tuning. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    return;
  }
}

function peakMib(): number {
  const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readOr('/proc/self/status'))?.[1];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) / 1_024;
}

const MS_PER_TICK = 10;
/** Counted after the name, which may hold anything: user and system time of children that have ended. */
const CHILD_FIELDS = [13, 14] as const;

/** Of this process with all threads, and of the decoders that have ended. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const fields = readOr('/proc/self/stat').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = CHILD_FIELDS.reduce((sum, field) => sum + Number(fields[field] ?? 0), 0);
  return (user + system) / 1_000 + ticks * MS_PER_TICK;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
