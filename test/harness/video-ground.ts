import { startSqsServer, type SqsServer } from './fauxqs-server.ts';
import { makeSmallVideo, mediaFolder } from './media.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import type { TemporaryFolder } from './temporary-folder.ts';

/** What a worker of videos needs around it, and a video: see `createVideoWorker`. */
export interface VideoGround extends AsyncDisposable {
  readonly sqs: SqsServer;
  readonly postgres: TestPostgres;
  readonly folder: TemporaryFolder;
  /** The content of a small video. */
  readonly video: Buffer;
}

/** Starts a queue with a store and a database, and makes a video of so many seconds. */
export async function startVideoGround(seconds = 2): Promise<VideoGround> {
  await using held = new AsyncDisposableStack();
  const folder = held.use(await mediaFolder());
  const [sqs, postgres, video] = await Promise.all([
    startSqsServer().then((server) => held.use(server)),
    startPostgres().then((server) => held.use(server)),
    makeSmallVideo(folder.at('video.mp4'), seconds),
  ]);
  const all = held.move();
  return { sqs, postgres, folder, video, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
