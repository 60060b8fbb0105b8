import { visible } from '../text/visible.ts';
import type { AnalysisProgress } from '../analysis/analyze-video.ts';

/** What can be shown: of a chain in this process everything, of a job in the database its stage and percent. */
export type ShownProgress = { readonly stage: string; readonly percent: number } & Partial<
  Pick<AnalysisProgress, 'framesDone' | 'framesExpected' | 'framesPerSecond' | 'etaSeconds'>
>;

export interface ProgressText {
  update(progress: ShownProgress): void;
  end(): void;
}

const BAR_WIDTH = 24;

/** One line that is redrawn on a terminal; elsewhere a plain line for every tenth. */
export function progressText(out: NodeJS.WriteStream): ProgressText {
  let last = '';
  let lastTenth = -1;
  return {
    update(progress) {
      const line = visible(progressLine(progress));
      if (out.isTTY) {
        if (line !== last) out.write(`\r\u001b[2K${line}`);
      } else {
        const tenth = Math.floor(progress.percent / 10);
        if (tenth === lastTenth) return;
        lastTenth = tenth;
        out.write(`${line}\n`);
      }
      last = line;
    },
    end() {
      if (out.isTTY && last !== '') out.write('\n');
      last = '';
    },
  };
}

/** `[############------------]  50 %  frames  22/45  14.2 frames/s  ETA 2 s` */
function progressLine(progress: ShownProgress): string {
  const full = Math.round((Math.min(100, Math.max(0, progress.percent)) / 100) * BAR_WIDTH);
  const parts = [
    `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${String(Math.round(progress.percent)).padStart(3)} %`,
    progress.stage,
  ];
  if (progress.framesDone !== undefined && progress.framesExpected !== undefined) {
    parts.push(`${progress.framesDone}/${progress.framesExpected}`);
  }
  if (progress.framesPerSecond !== undefined && progress.framesPerSecond !== null) {
    parts.push(`${progress.framesPerSecond.toFixed(1)} frames/s`);
  }
  if (progress.etaSeconds !== undefined && progress.etaSeconds !== null) {
    parts.push(`ETA ${Math.ceil(progress.etaSeconds)} s`);
  }
  return parts.join('  ');
}
