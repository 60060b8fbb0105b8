import { stillPicturesOf } from '../analysis/settings.ts';
import { withRetries } from '../failure/retry.ts';
import { derivedVideoId, jobIdentity } from '../persistence/identity.ts';
import { claimRun, type Claim } from '../persistence/claim-run.ts';
import type { ObjectHead } from '../storage/download.ts';
import type { JobContext } from './job-context.ts';

/** Claims the video for this worker under the identity of what the job works on: these bytes, this pack, this sampling. */
export async function claimVideo({ deps, settings, delivery, signal }: JobContext, head: ObjectHead): Promise<Claim> {
  const { packName, packFingerprint } = deps.chain.description;
  const { framesPerSecond, attributes } = settings.analysis;
  const stillPictures = stillPicturesOf(settings.analysis);
  const sampling = { framesPerSecond, attributes, decode: settings.decode.mode ?? 'exact', stillPictures };
  const object = { bucket: head.bucket, key: head.key, versionId: head.versionId, etag: head.etag };
  const request = {
    identity: jobIdentity({ ...object, packFingerprint, sampling }),
    externalId: delivery.job.videoId ?? derivedVideoId(object),
    object,
    worker: settings.workerId,
    pack: { name: packName, fingerprint: packFingerprint },
    sampling,
    aliveSeconds: settings.aliveSeconds,
    message: {
      messageId: delivery.messageId,
      object: delivery.job,
      receiveCount: delivery.receiveCount,
      isLastReceive: delivery.isLastReceive,
      leaseSeconds: settings.leaseSeconds,
    },
  };
  return await withRetries(() => claimRun(deps.database, request, signal), { signal });
}
