import type { BatchLimits } from './stage.ts';

type Batch = keyof BatchLimits;

/** What an operator sets them by. */
const SETTINGS: Readonly<Record<Batch, string>> = {
  detection: 'DETECTION_BATCH_SIZE',
  people: 'PEOPLE_BATCH_SIZE',
  language: 'LANGUAGE_BATCH_SIZE',
};

/**
 * The next smaller batches: the largest one halved, and none larger than that. So a long batch of people goes before the others are
 * touched, and whoever sets a smaller one gets no less of the others. Null where every run has one item already.
 */
export function lowerBatches(batch: BatchLimits): BatchLimits | null {
  const most = Math.floor(mostOf(batch) / 2);
  if (most < 1) return null;
  const { detection, people, language } = batch;
  return {
    detection: Math.min(detection, most),
    people: Math.min(people, most),
    language: Math.min(language, most),
  };
}

/** Most items in any run. */
export function mostOf(batch: BatchLimits): number {
  return Math.max(...Object.values(batch));
}

/** What an operator should know of smaller batches. */
export function lowerBatchesText(from: BatchLimits, to: BatchLimits): string {
  const changed = (Object.keys(SETTINGS) as Batch[]).filter((batch) => from[batch] !== to[batch]);
  return (
    `the GPU has no memory for runs of ${mostOf(from)}: the worker goes on with at most ` +
    `${changed.map((batch) => `${SETTINGS[batch]}=${to[batch]}`).join(' and ')}; ` +
    'set that and start it again to have runs of just these sizes, or end what else uses the GPU'
  );
}
