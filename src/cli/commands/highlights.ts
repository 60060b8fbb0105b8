import { toFailure } from '../../failure/classify.ts';
import { Failure } from '../../failure/failure.ts';
import type { Database } from '../../persistence/client.ts';
import { findUnpictured, type UnpicturedVideo } from '../../persistence/missing-highlights.ts';
import { findVideo } from '../../persistence/read/videos.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { blamingTools } from '../../video/tools/blame-tools.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { makeHighlights } from '../make-highlights.ts';
import { openClients } from '../open-clients.ts';
import { openConfiguredDatabase } from '../open-parts.ts';
import { openConfiguredTools } from '../open-tools.ts';
import { complain, say } from '../terminal.ts';

const CALL_MS = 60_000;
const PAGE = 20;

/** `highlights`: tells how many images each video got. */
export async function highlights(
  references: readonly string[],
  options: { readonly missing?: boolean },
): Promise<void> {
  if ((references.length === 0) === (options.missing !== true)) {
    throw new Failure('CONFIG_INVALID', 'name the videos, or take every one that lacks an image with --missing');
  }
  const config = commandConfig(['database']);
  const { highlightsBucket: bucket, highlightActions: actions } = config.analysis;
  if (bucket === null || actions.length === 0) {
    throw new Failure('CONFIG_INVALID', 'no images are kept: set HIGHLIGHTS_BUCKET and HIGHLIGHT_ACTIONS');
  }
  using clients = openClients(config);
  const logger = createLogger({ level: 'warn', format: config.log.format, name: 'highlights' });
  const tools = await openConfiguredTools(config, logger);
  await using database = await openConfiguredDatabase(config);
  const maker = { config, bucket, s3: clients.s3, database, tools };
  const videoIds = options.missing === true ? null : await primaryKeys(database, references);
  let found = 0;
  for await (const video of unpictured(database, { actions, videoIds })) {
    found += 1;
    try {
      const limit = AbortSignal.timeout(config.worker.maxProcessingSeconds * 1_000);
      const { made, unmet } = await blamingTools(tools, limit, () => makeHighlights(maker, video, limit));
      say(`${video.externalId}  ${made} image${made === 1 ? '' : 's'}`);
      if (unmet === 0) continue;
      complain(`${video.externalId}: the frames of ${unmet} of its events are no longer sampled`);
      process.exitCode = EXIT_CODES.FAILED;
    } catch (error) {
      const failure = toFailure(error);
      // One object's fault ends nothing; what is wrong with a service or this host would be wrong with the next video as well.
      if (failure.class !== 'permanent') throw failure;
      complain(`${video.externalId}: ${failure.code}: ${failure.message}`);
      process.exitCode = EXIT_CODES.FAILED;
    }
  }
  if (found === 0) say('no image is missing');
}

async function primaryKeys(database: Database, references: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const reference of references) {
    const video = await findVideo(database, reference, AbortSignal.timeout(CALL_MS));
    if (video === null) throw new Failure('OBJECT_NOT_FOUND', `no video is known by ${reference}`);
    ids.push(video.videoId);
  }
  return ids;
}

/** Page by page: a video whose images cannot be made is not met again. */
async function* unpictured(
  database: Database,
  query: { readonly actions: readonly string[]; readonly videoIds: readonly string[] | null },
): AsyncGenerator<UnpicturedVideo> {
  let after: string | null = null;
  for (;;) {
    const page: readonly UnpicturedVideo[] = await findUnpictured(
      database,
      { ...query, after, limit: PAGE },
      AbortSignal.timeout(CALL_MS),
    );
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.videoId;
  }
}
