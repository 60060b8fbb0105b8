import { analyzeVideo } from '../../src/analysis/analyze-video.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { analysisSettings, decodeSettings, readZones, videoLimits } from '../../src/cli/job-settings.ts';
import { openModels } from '../../src/cli/open-parts.ts';
import { loadConfig } from '../../src/config/config.ts';
import { claimRun } from '../../src/persistence/claim-run.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { completeRun } from '../../src/persistence/complete-run.ts';
import { jobIdentity } from '../../src/persistence/identity.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { createWorkspace } from '../../src/storage/work-folder.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { withDecodedFrames } from '../../src/video/decode/decode.ts';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../src/video/probe/probe.ts';
import type { Clip } from './clips.ts';
import { HIGHLIGHTS, VIDEOS } from './ground.ts';
import { Ledger } from './ledger.ts';
import type { ResultSet } from './result-set.ts';

const SCHEMA = 'undisturbed';
const LIMIT_MS = 180_000;

/** Analyses each clip once, undisturbed and with the workers' settings, by clip name. */
export async function undisturbedAnalyses(
  clips: readonly Clip[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<ReadonlyMap<string, VideoAnalysis>> {
  const config = loadConfig(env, { needs: ['models'] });
  const logger = createLogger({ level: 'error', format: 'json', name: 'undisturbed' });
  const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const signal = AbortSignal.timeout(LIMIT_MS);
  await using models = await openModels(config, { device: 'cpu', videosAtOnce: 1, logger, signal });
  const settings = analysisSettings(config, models.plan, await readZones(config));
  const results = new Map<string, VideoAnalysis>();
  for (const { name, file } of clips) {
    await using workspace = await createWorkspace(folder, name);
    const info = await probeVideo(tools, file, videoLimits(config), signal);
    const options = { ...decodeSettings(config, models.plan), framesPerSecond: settings.framesPerSecond };
    const subject = { videoId: name, info, workspaceDir: workspace.directory };
    const deps = { chain: models.chain, describer: null, logger };
    const analysis = await withDecodedFrames([tools, file, info, options, signal], (video) =>
      analyzeVideo({ ...subject, ...video }, deps, settings, () => {}, signal),
    );
    results.set(name, analysis);
  }
  return results;
}

/** Stores the analyses in a schema of their own and reads them back: what the rows of every good video must be, by clip name. */
export async function undisturbedResults(
  analyses: ReadonlyMap<string, VideoAnalysis>,
  url: string,
): Promise<ReadonlyMap<string, ResultSet>> {
  const database = await openDatabase({ url, schema: SCHEMA });
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    await migrateDatabase(database, signal);
    for (const [name, analysis] of analyses) {
      const { framesPerSecond, attributes, decode, stillPictures = 'analyse' } = analysis.sampling;
      const sampling = { framesPerSecond, attributes, decode, stillPictures };
      const object = { bucket: VIDEOS, key: name, versionId: null, etag: null };
      const claim = await claimRun(
        database,
        {
          identity: jobIdentity({ ...object, packFingerprint: analysis.pack.fingerprint, sampling }),
          externalId: name,
          object,
          worker: SCHEMA,
          pack: analysis.pack,
          sampling,
          aliveSeconds: 60,
        },
        signal,
      );
      if (claim.kind !== 'started') throw new Error(`the undisturbed run of ${name} did not start`);
      await completeRun(database, claim.run, analysis, { highlightsBucket: HIGHLIGHTS }, signal);
    }
  } finally {
    await database.close();
  }
  const videos = await new Ledger(url, SCHEMA).videos();
  return new Map(videos.map(({ key, result }) => [key, result]));
}
