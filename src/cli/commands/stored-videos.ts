import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Failure } from '../../failure/failure.ts';
import { preparedLines, preparePack } from '../../packs/prepare-pack.ts';
import { modelsReportLines, verifyModels } from '../../packs/verify-models.ts';
import type { Database } from '../../persistence/client.ts';
import { migrateDatabase, migrationStatus } from '../../persistence/migrate.ts';
import { loadAnalysis } from '../../persistence/read/stored-analysis.ts';
import { findVideo, listVideos, type VideoRecord } from '../../persistence/read/videos.ts';
import { renderReport } from '../../report/report.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients, openConfiguredDatabase } from '../open-parts.ts';
import { queryGpus } from '../preflight/nvidia-smi.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { renderPreflight } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';
import { fetchReportImages } from '../report-images.ts';

const CALL_MS = 60_000;

/** Commands that look at a running system: preflight, db, models, report, status. */
export function addOperate(program: Command): void {
  program
    .command('preflight')
    .description('the checks that the daemon makes before its first receive')
    .option('--json', 'one JSON object')
    .action(preflight);
  const db = program.command('db').description('the database schema');
  db.command('migrate').description('bring it up to date').action(migrate);
  db.command('status').description('say what is applied and what is missing').action(databaseStatus);
  const models = program.command('models').description('model packs');
  models
    .command('verify')
    .description('compare a pack with its manifest, file by file and tensor by tensor')
    .option('--pack <dir>', 'model pack (default: MODEL_PACK)')
    .option('--device <device>', 'cuda: look up where each node would run on the GPU, too (needs none)', 'cpu')
    .action(verify);
  models
    .command('prepare')
    .description('write a copy of a pack with preparation and reading inside the graphs, for the GPU')
    .argument('<raw>', 'model pack')
    .requiredOption('--out <dir>', 'folder of the prepared pack, not there yet')
    .action(prepare);
  program
    .command('report')
    .description('the HTML report of an analysed video, from the database')
    .argument('<video>', 'id of the video')
    .option('--out <file>', 'file to write', 'report.html')
    .action(report);
  program
    .command('status')
    .description('recent videos, or one of them')
    .argument('[video]', 'id of the video')
    .option('--json', 'one JSON object')
    .action(status);
}

async function preflight(options: { readonly json?: boolean }): Promise<void> {
  const config = commandConfig([]);
  using clients = openClients(config);
  const result = await runPreflight(config, preflightDeps(config, clients), AbortSignal.timeout(CALL_MS));
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : renderPreflight(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}

async function withDatabase<T>(work: (database: Database, signal: AbortSignal) => Promise<T>): Promise<T> {
  await using database = await openConfiguredDatabase(commandConfig(['database']));
  return await work(database, AbortSignal.timeout(CALL_MS));
}

async function migrate(): Promise<void> {
  const applied = await withDatabase((database, signal) => migrateDatabase(database, signal));
  process.stdout.write(applied.length === 0 ? 'up to date\n' : `applied ${applied.join(', ')}\n`);
}

async function databaseStatus(): Promise<void> {
  const found = await withDatabase((database, signal) => migrationStatus(database, signal));
  process.stdout.write(`${JSON.stringify(found, null, 1)}\n`);
  if (found.pending.length > 0 || found.problems.length > 0) process.exitCode = EXIT_CODES.PREFLIGHT;
}

async function verify(options: { readonly pack?: string; readonly device: string }): Promise<void> {
  const config = commandConfig(['models'], { given: { MODEL_PACK: options.pack, DEVICE: options.device } });
  const device = config.inference.device === 'cuda' ? 'cuda' : 'cpu';
  // Where a GPU is, it has to work; where none is, the table of kernels still tells.
  const gpus = device === 'cuda' ? await queryGpus('nvidia-smi', AbortSignal.timeout(CALL_MS)) : null;
  const gpu = gpus !== null && gpus.ok && gpus.gpus.length > 0;
  const found = await verifyModels(config.inference.modelPack, {
    device,
    deviceId: config.inference.gpuDeviceId,
    gpu,
  });
  process.stdout.write(`${modelsReportLines(found).join('\n')}\n`);
  if (!found.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}

async function prepare(raw: string, options: { readonly out: string }): Promise<void> {
  const prepared = await preparePack(raw, options.out);
  process.stdout.write(`${preparedLines(prepared).join('\n')}\n`);
}

async function report(reference: string, options: { readonly out: string }): Promise<void> {
  const config = commandConfig(['database']);
  using clients = openClients(config);
  await using database = await openConfiguredDatabase(config);
  const signal = AbortSignal.timeout(CALL_MS);
  const video = await requireVideo(database, reference, signal);
  const stored = await loadAnalysis(database, video.videoId, signal);
  if (stored === null) {
    throw new Failure('OBJECT_NOT_FOUND', `video ${reference} is ${video.status}: there is no analysis to report yet`);
  }
  const images = await fetchReportImages({ config, s3: clients.s3, video, stored }, signal);
  await writeFile(options.out, renderReport(stored.analysis, images, { title: video.externalId }));
  process.stdout.write(`${options.out}\n`);
}

async function status(reference: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const videos = await withDatabase(async (database, signal) =>
    reference === undefined
      ? await listVideos(database, { limit: 20 }, signal)
      : [await requireVideo(database, reference, signal)],
  );
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(reference === undefined ? { videos } : { video: videos[0] })}\n`);
    return;
  }
  for (const video of videos) process.stdout.write(`${statusLine(video)}\n`);
  if (videos.length === 0) process.stdout.write('no videos yet\n');
}

function statusLine(video: VideoRecord): string {
  const what = video.failureCode ?? video.stage ?? '';
  return `${video.externalId}  ${video.status.padEnd(10)} ${String(Math.round(video.progress)).padStart(3)} %  attempts ${video.attempts}  ${what}  s3://${video.bucket}/${video.key}`;
}

async function requireVideo(database: Database, reference: string, signal: AbortSignal): Promise<VideoRecord> {
  const video = await findVideo(database, reference, signal);
  if (video === null) throw new Failure('OBJECT_NOT_FOUND', `no video is known by ${reference}`);
  return video;
}
