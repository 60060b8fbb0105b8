import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

export interface UploadedVideo {
  readonly queueUrl: string;
  readonly bucket: string;
  readonly key: string;
  readonly videoId: string;
  readonly priority?: 'high' | 'normal' | 'low';
}

const TIMEOUT_MS = 10_000;

/** Sends the message that the backend sends when an upload is complete. Answers with the message's id. */
export async function enqueueVideo(sqs: SQSClient, video: UploadedVideo, signal: AbortSignal): Promise<string> {
  const now = new Date().toISOString();
  const body = {
    eventType: 'video-uploaded',
    timestamp: now,
    s3: { bucket: video.bucket, key: video.key },
    video: { id: video.videoId, status: 'pending' },
    processing: { requestTime: now, priority: video.priority ?? 'normal' },
  };
  const text = (value: string) => ({ DataType: 'String', StringValue: value });
  const answer = await sqs.send(
    new SendMessageCommand({
      QueueUrl: video.queueUrl,
      MessageBody: JSON.stringify(body),
      MessageAttributes: {
        video_id: text(video.videoId),
        event_type: text('video-uploaded'),
        s3_bucket: text(video.bucket),
      },
      // A FIFO queue refuses messages without a group; one group per video lets different videos run side by side.
      ...(video.queueUrl.endsWith('.fifo')
        ? { MessageGroupId: video.videoId, MessageDeduplicationId: `${video.videoId}-${now}` }
        : {}),
    }),
    { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) },
  );
  return answer.MessageId ?? '';
}
