import type { VideoWork } from '../analysis/video-work.ts';

/** What one model read of a video and what it was spared, in words. */
export interface WorkRow {
  readonly stage: keyof VideoWork;
  readonly read: number;
  readonly leftOut: number;
  /** Why something was left out, with numbers; empty where nothing was. */
  readonly why: string;
  /** What asked for the readings, of a model that has several reasons; empty for the others. */
  readonly because: string;
}

const LEFT_OUT = {
  interval: 'the last reading held',
  stillPicture: 'the picture had not changed',
  notBestCrop: 'other crops promise more, or not readable',
} as const;

const BECAUSE = {
  first: 'seen first',
  interval: 'due',
  box: 'box changed',
  motion: 'motion changed',
  pose: 'pose changed',
  unsure: 'reading unsure',
} as const;

/** One row per model, in the order in which a frame meets them. */
export function workRows(work: VideoWork): WorkRow[] {
  return (['detection', 'ageGender', 'orientation', 'action'] as const).map((stage) => {
    const { read, leftOut } = work[stage];
    return {
      stage,
      read,
      leftOut: Object.values(leftOut).reduce((sum, count) => sum + count, 0),
      why: counted(leftOut, LEFT_OUT),
      because: stage === 'action' ? counted(work.action.because, BECAUSE) : '',
    };
  });
}

function counted<Key extends string>(
  counts: Readonly<Partial<Record<Key, number>>>,
  words: Readonly<Record<Key, string>>,
): string {
  return (Object.keys(words) as Key[])
    .flatMap((key) => ((counts[key] ?? 0) > 0 ? [`${words[key]} ${counts[key]}`] : []))
    .join(', ');
}
