import type { BatchLimits } from './stage.ts';

/** What an operator sets them by. */
const SETTINGS: Readonly<Record<keyof BatchLimits, string>> = {
  detection: 'DETECTION_BATCH_SIZE',
  people: 'PEOPLE_BATCH_SIZE',
  language: 'LANGUAGE_BATCH_SIZE',
};

/** Most items of a stage in one run, once it is known how many the GPU has memory for; with a sentence where those are fewer than wanted. */
export function fittedBatch(
  stage: string,
  setting: keyof BatchLimits,
  { wanted, fitting }: { readonly wanted: number; readonly fitting: number },
): { readonly limit: number; readonly warnings: readonly string[] } {
  if (fitting >= wanted) return { limit: wanted, warnings: [] };
  const warning =
    `the GPU has no memory for ${stage} in runs of more than ${fitting}: it goes on with those; ` +
    `lower ${SETTINGS[setting]} from ${wanted}, or end what else uses the GPU`;
  return { limit: fitting, warnings: [warning] };
}
