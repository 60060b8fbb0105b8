import { analyzeVideo } from '../../src/analysis/analyze-video.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { analysisSettings, decodeSettings, videoLimits } from '../../src/cli/job-settings.ts';
import { openModels } from '../../src/cli/open-parts.ts';
import { loadConfig } from '../../src/config/config.ts';
import { analysisRows } from '../../src/persistence/rows.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { decodeFrames } from '../../src/video/decode.ts';
import { locateFfmpeg } from '../../src/video/ffmpeg-binary.ts';
import { probeVideo } from '../../src/video/probe.ts';
import { createWorkspace } from '../../src/storage/workspace.ts';
import type { Clip } from './clips.ts';

/** What one run leaves in the database, in a form that two runs of one clip share. */
export interface ResultSet {
  readonly frames: number | null;
  readonly tracks: number;
  readonly observations: number;
  readonly overlaps: number;
  readonly scenes: number;
  /** Sorted; the video's id in a highlight's key is replaced. */
  readonly events: readonly string[];
}

export interface EventFacts {
  readonly type: string;
  readonly track: number;
  readonly frameIndex: number;
  readonly highlightKey: string | null;
}

export function eventTexts(events: readonly EventFacts[], videoId: string): string[] {
  return events
    .map(({ type, track, frameIndex, highlightKey }) => {
      const picture = highlightKey?.replace(`/${encodeURIComponent(videoId)}/`, '/VIDEO/') ?? 'no picture';
      return `${type} of ${track} in frame ${frameIndex}, ${picture}`;
    })
    .sort();
}

/** Analyses each clip once, undisturbed and with the workers' settings: what every good video must come to, by clip name. */
export async function undisturbedResults(
  clips: readonly Clip[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<ReadonlyMap<string, ResultSet>> {
  const config = loadConfig(env, { needs: ['models'] });
  const logger = createLogger({ level: 'error', format: 'json', name: 'undisturbed' });
  const tools = await locateFfmpeg(config.ffmpeg);
  const settings = await analysisSettings(config);
  const signal = AbortSignal.timeout(120_000);
  await using models = await openModels(config, { device: 'cpu', logger, signal });
  const results = new Map<string, ResultSet>();
  for (const { name, file } of clips) {
    await using workspace = await createWorkspace(folder, name);
    const info = await probeVideo(tools, file, videoLimits(config), signal);
    const options = { ...decodeSettings(config), framesPerSecond: settings.framesPerSecond };
    const frames = decodeFrames(tools, file, info, options, signal);
    const input = { videoId: name, info, frames, workspaceDir: workspace.directory };
    const deps = { chain: models.chain, describer: null, logger };
    results.set(name, resultSet(await analyzeVideo(input, deps, settings, () => {}, signal), name));
  }
  return results;
}

function resultSet(analysis: VideoAnalysis, videoId: string): ResultSet {
  const rows = analysisRows(analysis, 'any');
  const events = [...rows.events].map(({ type, track, frameIndex, highlightKey = null }) => ({
    type,
    track,
    frameIndex,
    highlightKey,
  }));
  return {
    frames: analysis.sampling.frames,
    tracks: [...rows.tracks].length,
    observations: [...rows.observations].length,
    overlaps: [...rows.overlaps].length,
    scenes: [...rows.scenes].length,
    events: eventTexts(events, videoId),
  };
}
