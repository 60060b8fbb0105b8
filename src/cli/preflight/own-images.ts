import { GetBucketNotificationConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import { HIGHLIGHTS_PREFIX } from '../../analysis/highlight-keys.ts';
import { type Check, type Finding, ok, skipped, warn } from './check.ts';

/** A queue that a bucket tells of new objects. */
export interface NotifiedQueue {
  readonly arn: string;
  /** Null: of objects with any key. */
  readonly prefix: string | null;
  readonly suffix: string | null;
}

export interface NotificationDeps {
  /** The queues that a bucket notifies itself; not those behind SNS and EventBridge. Rejects where it may not be read. */
  notifiedQueues(bucket: string, signal: AbortSignal): Promise<readonly NotifiedQueue[]>;
}

const CALL_TIMEOUT_MS = 15_000;
const FIX =
  'limit the notification to the prefix of the uploads, or keep images in a bucket of their own; the worker ignores its own images, but each is a message';

/** Whether the bucket of the images tells of each of them in a queue that the worker takes for one of uploads. */
export function ownImagesCheck(bucket: string, queueUrls: readonly string[], deps: NotificationDeps): Check {
  return {
    name: 'own images',
    timeoutMs: CALL_TIMEOUT_MS,
    severity: 'warn',
    fix: FIX,
    run: async (signal) => {
      const notified = await deps.notifiedQueues(bucket, signal).catch(() => null);
      signal.throwIfAborted();
      return notified === null
        ? skipped(`whom ${bucket} notifies may not be read: own images are ignored all the same`)
        : judgeNotifications(bucket, queueUrls, notified);
    },
  };
}

export function judgeNotifications(
  bucket: string,
  queueUrls: readonly string[],
  notified: readonly NotifiedQueue[],
): Finding {
  const told = queueUrls.filter((url) => notified.some((queue) => isOf(queue.arn, url) && meetsImages(queue)));
  if (told.length === 0) return ok(`${bucket} tells no queue of the worker of its images`);
  return warn(`${bucket} tells ${told.join(', ')} of every image that the worker writes`, FIX);
}

/** An ARN ends in account and name like a queue's URL, the one after colons and the other after slashes. */
function isOf(arn: string, url: string): boolean {
  return arn.split(':').slice(-2).join('/') === url.split('/').slice(-2).join('/');
}

function meetsImages({ prefix, suffix }: NotifiedQueue): boolean {
  const isPrefixMet = prefix === null || prefix.startsWith(HIGHLIGHTS_PREFIX) || HIGHLIGHTS_PREFIX.startsWith(prefix);
  return isPrefixMet && (suffix === null || '.jpg'.endsWith(suffix) || suffix.endsWith('.jpg'));
}

export function notificationDeps(s3: S3Client): NotificationDeps {
  return {
    notifiedQueues: async (bucket, signal) => {
      const command = new GetBucketNotificationConfigurationCommand({ Bucket: bucket });
      const { QueueConfigurations = [] } = await s3.send(command, { abortSignal: signal });
      return QueueConfigurations.filter(({ Events = [] }) =>
        Events.some((event) => event.startsWith('s3:ObjectCreated')),
      ).map(({ QueueArn = '', Filter }) => {
        const rules = Filter?.Key?.FilterRules ?? [];
        const valueOf = (name: string): string | null =>
          rules.find((rule) => rule.Name?.toLowerCase() === name)?.Value || null;
        return { arn: QueueArn, prefix: valueOf('prefix'), suffix: valueOf('suffix') };
      });
    },
  };
}
