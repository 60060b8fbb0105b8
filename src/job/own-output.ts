import { HIGHLIGHTS_PREFIX } from '../analysis/highlight-keys.ts';
import type { Job } from '../queue/messages/job.ts';
import type { ObjectHead } from '../storage/download.ts';
import { PROGRAM } from '../storage/written-by.ts';

const REASON = 'an image that the worker wrote itself';
/** Below the prefix there may be videos as well, where uploads and images share a bucket. */
const IMAGE = /\.jpg$/;

/**
 * Tells of a job whether its object is a highlight image of this worker, by bucket and key alone: why it is ignored, or null. Where the
 * images' bucket notifies the queue of the uploads, every image would else be taken for a video.
 */
export function ownOutput(highlightsBucket: string | null): (job: Pick<Job, 'bucket' | 'key'>) => string | null {
  return ({ bucket, key }) => {
    const isImage = key.startsWith(HIGHLIGHTS_PREFIX) && IMAGE.test(key);
    return bucket === highlightsBucket && isImage ? REASON : null;
  };
}

/** The same by what every image carries, for one that was copied or that another worker wrote elsewhere. */
export function isOwnOutput(head: Pick<ObjectHead, 'writtenBy'>): string | null {
  return head.writtenBy === PROGRAM ? REASON : null;
}
