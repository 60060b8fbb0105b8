import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chooseDevice } from '../choose-device.ts';
import { commandConfig, WITHOUT_SETUP } from '../command-config.ts';
import { analyzeLocally } from '../local-analysis.ts';
import { progressText } from '../progress-text.ts';
import { summaryLines } from '../summary.ts';
import { complain, say, sayJson } from '../terminal.ts';

interface AnalyzeOptions {
  readonly pack?: string;
  readonly fps?: string;
  readonly device?: string;
  readonly attributes?: string;
  readonly json?: string;
  readonly report?: string;
}

const REPORT_PICTURES = 8;

/** `analyze`: the analysis of one video as JSON, report or summary. */
export async function analyze(source: string, options: AnalyzeOptions): Promise<void> {
  const { pack, fps, device: asked, attributes } = options;
  const config = commandConfig(['models'], {
    given: { MODEL_PACK: pack, SAMPLE_FPS: fps, DEVICE: asked, ATTRIBUTES: attributes },
    defaults: WITHOUT_SETUP,
  });
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const device = await chooseDevice(config.inference.device, interrupted.signal);
  const progress = progressText(process.stderr);
  const { analysis, images } = await analyzeLocally(
    {
      source,
      config,
      device,
      keyFrames: options.report === undefined ? 0 : REPORT_PICTURES,
      onProgress: (step) => progress.update(step),
    },
    interrupted.signal,
  );
  progress.end();
  if (options.report !== undefined) {
    await mkdir(dirname(options.report), { recursive: true });
    const { renderReport } = await import('../../report/report.ts');
    await writeFile(options.report, renderReport(analysis, images, { title: source }));
    complain(`report: ${options.report}`);
  }
  if (options.json === undefined) {
    say(...summaryLines(analysis));
    return;
  }
  if (options.json === '-') {
    sayJson(analysis, 1);
    return;
  }
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(analysis, null, 1)}\n`);
}
