import { writeFile } from 'node:fs/promises';
import { Failure } from '../../failure/failure.ts';
import type { Database } from '../../persistence/client.ts';
import { loadAnalysis } from '../../persistence/read/stored-analysis.ts';
import { findVideo, listVideos, type VideoRecord } from '../../persistence/read/videos.ts';
import { renderReport } from '../../report/report.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-clients.ts';
import { openConfiguredDatabase } from '../open-parts.ts';
import { fetchReportImages } from '../report-images.ts';
import { say, sayJson, type Line } from '../terminal.ts';

const CALL_MS = 60_000;

/** `report`: tells the name of the file that it wrote. */
export async function report(reference: string, options: { readonly out: string }): Promise<void> {
  const config = commandConfig(['database']);
  using clients = openClients(config);
  await using database = await openConfiguredDatabase(config, true);
  const signal = AbortSignal.timeout(CALL_MS);
  const video = await requireVideo(database, reference, signal);
  const stored = await loadAnalysis(database, video.videoId, signal);
  if (stored === null) {
    throw new Failure('OBJECT_NOT_FOUND', `video ${reference} is ${video.status}: there is no analysis to report yet`);
  }
  const images = await fetchReportImages({ config, s3: clients.s3, video, stored }, signal);
  await writeFile(options.out, renderReport(stored.analysis, images, { title: video.externalId }));
  say(options.out);
}

/** `status`: a line for each video, or all of one. */
export async function status(reference: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  await using database = await openConfiguredDatabase(commandConfig(['database']), true);
  const signal = AbortSignal.timeout(CALL_MS);
  const videos =
    reference === undefined
      ? await listVideos(database, { limit: 20 }, signal)
      : [await requireVideo(database, reference, signal)];
  if (options.json === true) {
    sayJson(reference === undefined ? { videos } : { video: videos[0] });
    return;
  }
  say(...videos.map(statusLine));
  // Of many videos the codes say enough; of one it is told in full.
  const degraded = reference === undefined ? [] : (videos[0]?.run?.degraded ?? []);
  say(...degraded.map(({ stage, code, message }) => `  ${stage}: ${code}: ${message}`));
  if (videos.length === 0) say('no videos yet');
}

function statusLine(video: VideoRecord): Line {
  const what = video.failureCode ?? video.stage ?? degradedCodes(video);
  const progress = String(Math.round(video.progress)).padStart(3);
  return [
    video.externalId,
    `  ${video.status.padEnd(10)} ${progress} %  attempts ${video.attempts}  ${what}  `,
    `s3://${video.bucket}/${video.key}`,
  ];
}

function degradedCodes({ run }: VideoRecord): string {
  const codes = new Set(run?.degraded.map(({ code }) => code));
  return codes.size === 0 ? '' : `degraded: ${[...codes].join(', ')}`;
}

async function requireVideo(database: Database, reference: string, signal: AbortSignal): Promise<VideoRecord> {
  const video = await findVideo(database, reference, signal);
  if (video === null) throw new Failure('OBJECT_NOT_FOUND', `no video is known by ${reference}`);
  return video;
}
