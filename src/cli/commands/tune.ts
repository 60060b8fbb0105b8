import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../failure/failure.ts';
import { loadPack } from '../../packs/load-pack.ts';
import { assertPack } from '../../packs/verify-pack.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { blamingTools } from '../../video/tools/blame-tools.ts';
import { probeVideo } from '../../video/probe/probe.ts';
import { chooseDevice } from '../choose-device.ts';
import { commandConfig, WITHOUT_SETUP } from '../command-config.ts';
import { planHere, planText, type ExecutionPlan } from '../execution-plan.ts';
import { fittingFrames } from '../frame-memory.ts';
import { videoLimits } from '../job-settings.ts';
import { openConfiguredTools } from '../open-tools.ts';
import { axesFor } from '../tune/axes.ts';
import type { FrameLimit } from '../tune/frames-again.ts';
import { measurePlan, type MeasuredRun, type Subject } from '../tune/measure-plan.ts';
import { searchPlan, type SearchResult } from '../tune/search.ts';
import { environmentLines, gained, resultText, stepText } from '../tune/tune-text.ts';
import { usableCores } from '../usable-cores.ts';
import { usableMemory } from '../usable-memory.ts';
import { complain, say } from '../terminal.ts';

interface TuneOptions {
  readonly pack?: string;
  readonly device?: string;
  readonly video?: string;
  readonly seconds: string;
  readonly json?: string;
}

/** What `scripts/demo` and `npm run demo:video` leave. */
const DEMO_VIDEOS = [
  new URL('../../../out/demo/store.mp4', import.meta.url),
  new URL('../../../.local/demo.mp4', import.meta.url),
];
/** Runs that a search on a small host takes: each gets its share of the time. */
const RUNS = 30;
/** The runs that the search itself does not count. */
const CALIBRATING = 2;
const SHORTEST_RUN_MS = 500;
const LEAST_FRAMES = 4;
const MOST_SECONDS = 86_400;

/** `tune`: tries settings on this host with this pack, and prints the best ones as lines for `.env`. */
export async function tune(options: TuneOptions): Promise<void> {
  const config = commandConfig(['models'], {
    given: { MODEL_PACK: options.pack, DEVICE: options.device },
    defaults: WITHOUT_SETUP,
  });
  const seconds = secondsOf(options.seconds);
  const file = videoFile(options.video);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const device = await chooseDevice(config.inference.device, interrupted.signal);
  const logger = createLogger({ level: 'warn', format: config.log.format, name: 'tune' });
  const tools = await openConfiguredTools(config, logger, interrupted.signal);
  const info = await blamingTools(tools, interrupted.signal, () =>
    probeVideo(tools, file, videoLimits(config), interrupted.signal),
  );
  const pack = await loadPack(config.inference.modelPack);
  // Once for all: each chain would hash the files anew.
  await assertPack(pack, { hash: true });
  const videosAtOnce = config.worker.concurrency;
  const start = planHere(config, pack, { device, videosAtOnce });
  complain(
    `pack ${pack.manifest.name} on ${device} with ${usableCores()} cores, ${videosAtOnce === 1 ? 'one video' : `${videosAtOnce} videos`} at once (CONCURRENCY)`,
  );
  complain(`video ${file}`);
  complain(`in force: ${planText(device, start)}`);
  complain(`this takes ${seconds} s at most (--seconds); Ctrl-C ends it and prints what is known`);
  const subject = { config, device, videosAtOnce, tools, file, info, logger };
  const result = await searchOn(subject, start, seconds, interrupted.signal);
  if (options.json !== undefined) await writeJson(options.json, result, start);
  say(...resultText(result, start).trimEnd().split('\n'));
}

async function searchOn(
  subject: Subject,
  start: ExecutionPlan,
  seconds: number,
  interrupted: AbortSignal,
): Promise<SearchResult> {
  const end = performance.now() + seconds * 1_000;
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(seconds * 1_000)]);
  const runMs = Math.max(SHORTEST_RUN_MS, (seconds * 1_000) / RUNS);
  let runs = 0;
  let limit: FrameLimit = { milliseconds: runMs };
  const { device, videosAtOnce } = subject;
  const fitting = fittingFrames(subject.config, { memoryBytes: usableMemory(), videosAtOnce });
  return await searchPlan({
    start,
    axes: axesFor({ device, cores: usableCores(), fittingFrames: fitting }, start),
    measure: async (plan) => {
      const run = await blamingTools(subject.tools, signal, () => measurePlan(subject, plan, limit, signal));
      // The first runs tell how many frames fit into one, the second of them at its full speed; all others have just those.
      runs += 1;
      if (runs <= CALIBRATING) {
        const frames = framesOfRuns(run, videosAtOnce, runMs);
        limit = { frames };
        if (runs === CALIBRATING) tellRuns(run, frames, runMs);
      }
      return run;
    },
    leftMs: () => end - performance.now(),
    signal,
    onStep: (step) => complain(stepText(step, start)),
  });
}

/** Opening the models belongs to the time of a run, as far as that leaves half of it. */
function framesOfRuns({ framesPerSecond, openedMs }: MeasuredRun, videosAtOnce: number, runMs: number): number {
  const seconds = Math.max(runMs / 2, runMs - openedMs) / 1_000;
  return Math.max(LEAST_FRAMES, Math.round((framesPerSecond * seconds) / videosAtOnce));
}

function tellRuns({ openedMs, persons }: MeasuredRun, frames: number, runMs: number): void {
  const runSeconds = (openedMs + Math.max(runMs / 2, runMs - openedMs)) / 1_000;
  complain(
    `each run: models open in ${(openedMs / 1_000).toFixed(1)} s, ${frames} sampled frames of each video, about ${runSeconds.toFixed(1)} s`,
  );
  if (persons === 0) {
    complain(
      'no person is found in these frames: only detection is measured; --video takes footage with people, more --seconds more of it',
    );
  }
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new Failure('CONFIG_INVALID', `--seconds is "${text}": it must be a whole number from 1 to ${MOST_SECONDS}`);
}

function videoFile(given: string | undefined): string {
  if (given !== undefined) {
    const path = resolve(given);
    if (existsSync(path)) return path;
    throw new Failure('OBJECT_NOT_FOUND', `there is no file ${given}`);
  }
  const found = DEMO_VIDEOS.map((url) => fileURLToPath(url)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Failure(
    'OBJECT_NOT_FOUND',
    `--video is needed: footage like that of your cameras (where scripts/demo has run, its video out/demo/store.mp4 is taken)`,
  );
}

async function writeJson(file: string, result: SearchResult, start: ExecutionPlan): Promise<void> {
  const { best, trials, noise, isComplete } = result;
  const gain = gained(result, start);
  const found = { start, best, env: environmentLines(best, start), gain, noise, isComplete, trials };
  await mkdir(dirname(resolve(file)), { recursive: true });
  await writeFile(file, `${JSON.stringify(found, null, 1)}\n`);
}
