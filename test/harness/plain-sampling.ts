/** What a job says of its sampling where nothing was set. */
export const PLAIN_SAMPLING = {
  framesPerSecond: 1.5,
  attributes: 'per-track',
  decode: 'exact',
  stillPictures: 'analyse',
} as const;
