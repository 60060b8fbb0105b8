/** Variables that are read no more, and what is set in the place of each. */
export const REPLACED: Readonly<Record<string, string>> = {
  VISION_BATCH_SIZE: 'DETECTION_BATCH_SIZE (frames) and PEOPLE_BATCH_SIZE (people)',
};
