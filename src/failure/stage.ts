/** The models of the chain, in the order in which a frame meets them. Everything that has one entry per model derives from this list. */
export const CHAIN_STAGES = ['detection', 'ageGender', 'orientation', 'action', 'scene'] as const;

export type ChainStage = (typeof CHAIN_STAGES)[number];

/** Where a job can be and can fail: its message, the row of its id (`register`), the steps of its run, and within `analysis` the decoder and each model. */
export const JOB_STAGES = [
  'message',
  'register',
  'head',
  'claim',
  'download',
  'probe',
  'analysis',
  'decode',
  ...CHAIN_STAGES,
  'highlights',
  'store',
] as const;

export type JobStage = (typeof JOB_STAGES)[number];
