import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { parseTruth } from '../../src/evaluation/truth.ts';
import { fetchReportImages } from '../../src/cli/report-images.ts';
import { openClients } from '../../src/cli/open-clients.ts';
import { evaluationLines } from '../../src/cli/evaluation-text.ts';
import { summaryLines } from '../../src/cli/summary.ts';
import { loadConfig } from '../../src/config/config.ts';
import { enqueueVideo } from '../../src/queue/sqs/enqueue.ts';
import { startLocalStack, type LocalStack } from '../../src/local/stack.ts';
import { uploadVideo } from '../../src/storage/upload-video.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { loadAnalysis } from '../../src/persistence/read/stored-analysis.ts';
import { renderReport } from '../../src/report/report.ts';
import { truthOfScene } from '../../models/demo-pack/scene/truth.ts';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { demoResult } from './result.ts';
import { watchVideo } from './watch-video.ts';

const root = resolve(import.meta.dirname, '../..');
/** 30 s at the default 1.5 sampled frames per second. */
const SCENE_FRAMES = 45;
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

interface DemoOptions {
  readonly video: string | null;
  readonly pack: string;
  readonly json: boolean;
  readonly keep: boolean;
}

const HELP = `scripts/demo [--video FILE] [--pack DIR] [--json] [--keep]

Analyses the demo scene (or FILE) with the real daemon on a queue, a store and a database on this machine.
  --video FILE  your own file instead of the rendered scene; the demo pack only reads the demo's drawing style
  --pack DIR    another model pack (default models/demo)
  --json        one JSON object as the last line on standard output
  --keep        leave the local stack running and say how to use it
`;

function options(): DemoOptions {
  const { values } = parseArgs({
    options: {
      video: { type: 'string' },
      pack: { type: 'string', default: join(root, 'models/demo') },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  return {
    video: values.video === undefined ? null : resolve(values.video),
    pack: resolve(values.pack),
    json: values.json,
    keep: values.keep,
  };
}

async function main(asked: DemoOptions, signal: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const out = join(root, 'out/demo');
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const file = asked.video ?? join(out, 'store.mp4');
  if (asked.video === null) {
    say('rendering the demo scene (30 s of a store with seven people) ...');
    await renderVideo(file, signal);
  }
  say('starting the local queue, store and database ...');
  await using stack = await startLocalStack({ dataDir: 'memory' });
  say(`  SQS and S3 on ${stack.endpoint}, Postgres on ${stack.databaseUrl}`);
  const env = {
    ...stack.env,
    DEVICE: 'cpu',
    MODEL_PACK: asked.pack,
    WORK_DIR: join(out, 'work'),
    // Short polls, so that a drain does not wait for an open one.
    SQS_WAIT_SECONDS: '2',
    LOG_FORMAT: 'pretty',
  };
  const videoId = asked.video === null ? 'demo-store' : 'demo-own-video';
  await upload(stack, env, { file, videoId }, signal);
  say('starting the daemon (scripts/start-worker) ...');
  const daemon = startDaemon(root, env, join(out, 'worker.log'));
  try {
    const ok = await follow({ asked, stack, env, daemon, videoId, out, started }, signal);
    if (asked.keep) await keepRunning(stack, env, signal);
    return ok;
  } finally {
    const code = await daemon.stop();
    say(`daemon drained with SIGTERM, exit code ${code}`);
  }
}

async function upload(
  stack: LocalStack,
  env: Readonly<Record<string, string>>,
  video: { readonly file: string; readonly videoId: string },
  signal: AbortSignal,
): Promise<void> {
  Object.assign(process.env, stack.env);
  using clients = openClients(loadConfig({ ...env }));
  const target = { bucket: stack.uploadsBucket, key: `videos/2026/${video.videoId}.mp4` };
  const bytes = await uploadVideo(clients.s3, { ...target, contentType: 'video/mp4' }, video.file, signal);
  await enqueueVideo(clients.sqs, { queueUrl: stack.queueUrl, ...target, videoId: video.videoId }, signal);
  say(`uploaded ${(bytes / 1e6).toFixed(1)} MB to s3://${target.bucket}/${target.key} and sent the backend's message`);
}

interface Running {
  readonly asked: DemoOptions;
  readonly stack: LocalStack;
  readonly env: Readonly<Record<string, string>>;
  readonly daemon: Daemon;
  readonly videoId: string;
  readonly out: string;
  readonly started: number;
}

async function follow(running: Running, signal: AbortSignal): Promise<boolean> {
  const { asked, stack, env, daemon, videoId, out } = running;
  await using database = await openDatabase({ url: stack.databaseUrl, schema: 'video_worker', poolSize: 2 });
  const config = loadConfig({ ...env });
  using clients = openClients(config);
  const video = await watchVideo(
    { database, videoId, daemon, out: process.stderr, framesExpected: asked.video === null ? SCENE_FRAMES : null },
    signal,
  );
  if (video.status !== 'completed') {
    say(`the video ended as ${video.status}: ${video.failureCode ?? 'no code'}; see ${join(out, 'worker.log')}`);
    return false;
  }
  const stored = await loadAnalysis(database, video.videoId, signal);
  if (stored === null) throw new Error('the video is completed, but its analysis is not in the database');
  const print = asked.json ? say : (line: string) => process.stdout.write(`${line}\n`);
  for (const line of summaryLines(stored.analysis)) print(line);
  const truth =
    asked.video === null ? evaluate(stored.analysis, parseTruth(JSON.stringify(truthOfScene()), 'the scene')) : null;
  if (truth !== null) {
    print('\ncompared with the truth of the scene');
    for (const line of evaluationLines(truth)) print(`  ${line}`);
  }
  const images = await fetchReportImages({ config, s3: clients.s3, video, stored }, signal);
  const report = join(out, 'report.html');
  await writeFile(report, renderReport(stored.analysis, images, { title: videoId }));
  print(`\nreport: ${report}`);
  const seconds = (performance.now() - running.started) / 1000;
  const result = demoResult(asked.video ?? 'demo scene', stored.analysis, truth, seconds);
  if (asked.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(`done in ${seconds.toFixed(0)} s`);
  return result.ok;
}

/** Until Ctrl-C. */
async function keepRunning(
  stack: LocalStack,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  say('\nThe local stack and the daemon keep running; Ctrl-C ends them. In another shell:');
  for (const [name, value] of Object.entries(env)) say(`  export ${name}='${value}'`);
  say('  scripts/video-worker enqueue FILE');
  say('  scripts/video-worker status');
  say(`  psql '${stack.databaseUrl}'   # set search_path to video_worker`);
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}
try {
  process.exitCode = (await main(options(), interrupted.signal)) ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
