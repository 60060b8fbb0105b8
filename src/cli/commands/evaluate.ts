import { readFile } from 'node:fs/promises';
import { evaluate, type Evaluation } from '../../evaluation/evaluate.ts';
import { evaluationAims } from '../../evaluation/aims.ts';
import { parseAnalysisFile } from '../../evaluation/analysis-file.ts';
import { parseTruth, type Truth } from '../../evaluation/truth.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../analysis/settings.ts';
import type { VideoAnalysis } from '../../analysis/video-analysis.ts';
import { Failure } from '../../failure/failure.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { aimLines, evaluationLines } from '../evaluation-text.ts';
import { chooseDevice } from '../choose-device.ts';
import { commandConfig, WITHOUT_SETUP } from '../command-config.ts';
import { analyzeLocally } from '../local-analysis.ts';
import { progressText } from '../progress-text.ts';
import { complain, say, sayJson } from '../terminal.ts';

interface EvaluateCommandOptions {
  readonly truth: string;
  readonly video?: string;
  readonly analysis?: string;
  readonly pack?: string;
  readonly fps?: string;
  readonly device?: string;
  readonly aims?: boolean;
  readonly json?: boolean;
}

const TRUTH_ENDING = '.truth.json';

/** `evaluate`: with `--aims`, a missed aim is told by the exit code, too. */
export async function evaluateCommand(options: EvaluateCommandOptions): Promise<void> {
  const truth = parseTruth(await readText(options.truth), options.truth);
  const analysis =
    options.analysis === undefined
      ? await analyzeVideoOf(options)
      : parseAnalysisFile(await readText(options.analysis), options.analysis);
  const evaluation = compare(analysis, truth, options);
  const aims = evaluationAims(evaluation);
  if (options.json === true) {
    sayJson({ pack: analysis.pack, sampling: analysis.sampling, evaluation, aims });
  } else {
    say(`pack         ${analysis.pack.name}`, ...evaluationLines(evaluation));
    if (options.aims === true) say('', ...aimLines(aims));
  }
  const missed = aims.filter(({ met }) => !met);
  if (options.aims !== true || missed.length === 0) return;
  complain(`missed: ${missed.map(({ name }) => name).join('; ')}`);
  process.exitCode = EXIT_CODES.FAILED;
}

function compare(analysis: VideoAnalysis, truth: Truth, options: EvaluateCommandOptions): Evaluation {
  const { width, height } = truth.video;
  if (analysis.video.width !== width || analysis.video.height !== height) {
    throw new Failure(
      'CONFIG_INVALID',
      `${options.truth} is about a video of ${width}x${height} pixels, the analysed one has ${analysis.video.width}x${analysis.video.height}`,
    );
  }
  const { ignoredActions, minReadings } = DEFAULT_ANALYSIS_SETTINGS.events;
  const evaluation = evaluate(analysis, truth, { ignoredActions, minReadings });
  if (evaluation.frames === 0) {
    throw new Failure('CONFIG_INVALID', `${options.truth} has none of the ${analysis.frames.length} analysed frames`);
  }
  return evaluation;
}

async function analyzeVideoOf(options: EvaluateCommandOptions): Promise<VideoAnalysis> {
  const { pack, fps, device: asked } = options;
  const config = commandConfig(['models'], {
    // The truth says nothing about scene texts.
    given: { MODEL_PACK: pack, SAMPLE_FPS: fps, DEVICE: asked, SCENE: 'off' },
    defaults: WITHOUT_SETUP,
  });
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const device = await chooseDevice(config.inference.device, interrupted.signal);
  const progress = progressText(process.stderr);
  const source = options.video ?? videoBeside(options.truth);
  const { analysis } = await analyzeLocally(
    { source, config, device, keyFrames: 0, onProgress: (step) => progress.update(step) },
    interrupted.signal,
  );
  progress.end();
  return analysis;
}

function videoBeside(truth: string): string {
  if (truth.endsWith(TRUTH_ENDING)) return `${truth.slice(0, -TRUTH_ENDING.length)}.mp4`;
  throw new Failure('CONFIG_INVALID', `${truth} does not end in ${TRUTH_ENDING}: name its video with --video`);
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('CONFIG_INVALID', `${file} cannot be read`, { cause });
  });
}
