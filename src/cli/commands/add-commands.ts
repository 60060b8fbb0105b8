import type { Command } from 'commander';
import { MOST_DEAD_LETTERS } from '../dead-letter-limit.ts';

/**
 * Adds everything that `video-worker` can do, in the order in which its help tells it. What a command does, and every package that it
 * takes for that, is loaded when it runs: the help and the version need none of it.
 */
export function addCommands(program: Command): void {
  for (const add of [
    addAnalyze,
    addEnqueue,
    addEvaluate,
    addOnce,
    addPreflight,
    addDb,
    addDeadLetters,
    addModels,
    addTune,
    addStoredVideos,
    addHighlights,
  ]) {
    add(program);
  }
}

function addAnalyze(program: Command): void {
  program
    .command('analyze')
    .description('run the model chain on one video: no queue, no database')
    .argument('<source>', 'a file or s3://bucket/key')
    .option('--pack <dir>', 'model pack (default: MODEL_PACK, else models/demo)')
    .option('--fps <number>', 'sampled frames per second of footage (default: SAMPLE_FPS)')
    .option('--device <device>', 'cpu, cuda or auto (default: DEVICE, else auto)')
    .option('--attributes <mode>', 'per-track or per-frame (default: ATTRIBUTES)')
    .option('--json <file>', 'write the analysis as JSON, - for standard output')
    .option('--report <file>', 'write a self-contained HTML report')
    .action(loaded(async () => (await import('./analyze.ts')).analyze));
}

function addEnqueue(program: Command): void {
  program
    .command('enqueue')
    .description("upload a file (or take an object that is there) and send the backend's message")
    .argument('<source>', 'a file or s3://bucket/key')
    .option('--video-id <id>', 'the backend id of the video (default: a new one)')
    .option('--bucket <name>', 'bucket for an uploaded file (default: S3_BUCKET, else video-uploads)')
    .option('--priority <priority>', 'high, normal or low', 'normal')
    .action(loaded(async () => (await import('./enqueue.ts')).enqueue));
}

function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('compare what a pack finds in a video with the truth about it')
    .requiredOption('--truth <file>', 'truth about the video, as `npm run demo:video` writes it')
    .option('--video <source>', 'a file or s3://bucket/key (default: NAME.mp4 beside NAME.truth.json)')
    .option('--analysis <file>', 'compare an analysis that `analyze --json` wrote, instead of making one')
    .option('--pack <dir>', 'model pack (default: MODEL_PACK, else models/demo)')
    .option('--fps <number>', 'sampled frames per second of footage (default: SAMPLE_FPS)')
    .option('--device <device>', 'cpu, cuda or auto (default: DEVICE, else auto)')
    .option('--aims', 'fail with the missed aims when the result is not good enough')
    .option('--json', 'one JSON object')
    .action(loaded(async () => (await import('./evaluate.ts')).evaluateCommand));
}

function addOnce(program: Command): void {
  program
    .command('once')
    .description('analyse one object, named by S3_BUCKET, S3_KEY and VIDEO_ID or by a message body, then exit')
    .option('--message <file>', 'a message body in any of the known forms, - for standard input')
    .action(loaded(async () => (await import('./once.ts')).once));
}

function addPreflight(program: Command): void {
  program
    .command('preflight')
    .description('the checks that the daemon makes before its first receive')
    .option('--json', 'one JSON object')
    .action(loaded(async () => (await import('./preflight.ts')).preflight));
}

function addDb(program: Command): void {
  const db = program.command('db').description('the database schema');
  db.command('migrate')
    .description('bring it up to date')
    .action(loaded(async () => (await import('./db.ts')).migrate));
  db.command('status')
    .description('say what is applied and what is missing')
    .action(loaded(async () => (await import('./db.ts')).status));
}

function addDeadLetters(program: Command): void {
  program
    .command('dead-letters')
    .description('what lies in the dead-letter queue and why, without taking it out')
    .option('--queue <url>', 'a dead-letter queue (default: SQS_DLQ_URL, else those of the redrive policies)')
    .option('--limit <count>', `messages to show of each queue, at most ${MOST_DEAD_LETTERS}`, '100')
    .option('--json', 'one JSON object')
    .action(loaded(async () => (await import('./dead-letters.ts')).deadLetters));
}

function addModels(program: Command): void {
  const models = program.command('models').description('model packs');
  models
    .command('verify')
    .description('compare a pack with its manifest, file by file and tensor by tensor')
    .option('--pack <dir>', 'model pack (default: MODEL_PACK)')
    .option('--device <device>', 'cuda: look up where each node would run on the GPU, too (needs none)', 'cpu')
    .action(loaded(async () => (await import('./models.ts')).verify));
  models
    .command('prepare')
    .description('write a copy of a pack with preparation and reading inside the graphs, for the GPU')
    .argument('<raw>', 'model pack')
    .requiredOption('--out <dir>', 'folder of the prepared pack, not there yet')
    .action(loaded(async () => (await import('./models.ts')).prepare));
}

function addTune(program: Command): void {
  program
    .command('tune')
    .description('try batches, threads and pipelines on this host with a pack, and print the best as lines for .env')
    .option('--pack <dir>', 'model pack (default: MODEL_PACK, else models/demo)')
    .option('--device <device>', 'cpu, cuda or auto (default: DEVICE, else auto)')
    .option('--video <file>', 'footage like that of your cameras (default: the video of scripts/demo)')
    .option('--seconds <number>', 'time that the search may take', '120')
    .option('--json <file>', 'write every measurement as JSON')
    .action(loaded(async () => (await import('./tune.ts')).tune));
}

/** The commands `report` and `status`, which show what the database holds. */
function addStoredVideos(program: Command): void {
  program
    .command('report')
    .description('the HTML report of an analysed video, from the database')
    .argument('<video>', 'id of the video')
    .option('--out <file>', 'file to write', 'report.html')
    .action(loaded(async () => (await import('./stored-videos.ts')).report));
  program
    .command('status')
    .description('recent videos, or one of them')
    .argument('[video]', 'id of the video')
    .option('--json', 'one JSON object')
    .action(loaded(async () => (await import('./stored-videos.ts')).status));
}

function addHighlights(program: Command): void {
  program
    .command('highlights')
    .description('make the highlight images that events of analysed videos lack, from their objects, without a model')
    .argument('[videos...]', 'ids of videos')
    .option('--missing', 'every analysed video that lacks an image')
    .action(loaded(async () => (await import('./highlights.ts')).highlights));
}

/** The action that `load` answers with, loaded when it is called. */
function loaded<Given extends readonly unknown[]>(
  load: () => Promise<(...given: Given) => Promise<void>>,
): (...given: Given) => Promise<void> {
  return async (...given) => (await load())(...given);
}
