/** The user metadata that every file of this program carries, so that it is known again whatever message tells of it. */
export const WRITTEN_BY = 'written-by';
/** Its value. */
export const PROGRAM = 'gpu-video-worker';
