import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSmallVideo } from '../harness/media.ts';
import { owned } from '../harness/ownership.ts';
import { startPostgres } from '../harness/postgres.ts';
import { startSqsProcess } from '../harness/sqs-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { judgeSoak } from './judge.ts';
import type { Reading } from './reading.ts';
import { recordTools } from './replay-tools.ts';
import type { SoakAnswer, SoakSettings } from './soak-settings.ts';
import { sendWorkload } from './workload.ts';

export interface SoakOptions {
  /** A multiple of ten. */
  readonly jobs: number;
  /** Only videos, and ffmpeg itself for every job instead of programs that replay one of its runs. */
  readonly real: boolean;
  readonly leak: boolean;
}

export interface SoakReport {
  readonly ok: boolean;
  readonly jobs: number;
  /** Messages whose end was that they were deleted. */
  readonly completed: number;
  readonly deadLettered: number;
  readonly seconds: number;
  readonly problems: readonly string[];
  readonly leftovers: readonly string[];
  readonly readings: readonly Reading[];
}

const SLOTS = 4;

/** Runs short jobs in one worker process, on servers in processes of their own, and says whether anything grew. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryFolder('soak')).path;
  const [workDir, toolsDir, clip] = [join(directory, 'work'), join(directory, 'tools'), join(directory, 'clip.mp4')];
  await Promise.all([workDir, toolsDir].map((folder) => mkdir(folder)));
  const video = await makeSmallVideo(clip, 1);
  const postgres = cleanup.use(await startPostgres());
  const queues = ['jobs', 'dead'].map((name) => ({ name, attributes: {} }));
  const aws = cleanup.use(await startSqsProcess({ queues, buckets: ['videos'] }));
  const settings: SoakSettings = {
    endpoint: aws.endpoint,
    queueUrl: aws.queueUrl('jobs'),
    deadLetterUrl: aws.queueUrl('dead'),
    databaseUrl: postgres.url,
    workDir,
    tools: options.real ? null : await recordTools(clip, toolsDir),
    jobs: options.jobs,
    slots: SLOTS,
    leak: options.leak,
  };
  await sendWorkload(aws, { queueUrl: settings.queueUrl, jobs: options.jobs, onlyVideos: options.real }, video);
  const start = performance.now();
  const answer = await runWorker(settings);
  const problems = judgeSoak(answer.readings, SLOTS);
  problems.push(...answer.warnings);
  if (answer.completed !== options.jobs) problems.push(`${answer.completed} of ${options.jobs} jobs were completed`);
  const leftovers = await readdir(workDir);
  return {
    ok: problems.length + leftovers.length === 0,
    jobs: options.jobs,
    completed: answer.completed,
    deadLettered: answer.deadLettered,
    seconds: Math.round((performance.now() - start) / 1_000),
    problems,
    leftovers,
    readings: answer.readings,
  };
}

async function runWorker(settings: SoakSettings): Promise<SoakAnswer> {
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = `${lastWords}${text}`.slice(-4_000);
  });
  const exited = once(child, 'exit');
  const kill = owned(`the worker process ${child.pid} of the soak`, () => void child.kill('SIGKILL'));
  try {
    const answered = once(child, 'message').then(([answer]) => answer as SoakAnswer);
    const ended = exited.then(([code]) => {
      throw new Error(`the worker process ended with ${String(code)}: ${lastWords}`);
    });
    const answer = await Promise.race([answered, ended]);
    ended.catch(() => undefined);
    await exited;
    return answer;
  } finally {
    await kill();
  }
}
