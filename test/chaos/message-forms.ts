import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** The forms in which a message about an upload comes. */
export const MESSAGE_FORMS = ['backend', 's3-event', 'event-bridge', 'sns-backend', 'sns-s3-event', 'legacy'] as const;
export type MessageForm = (typeof MESSAGE_FORMS)[number];

/** What a message tells. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  /** The backend's; events of the store have none. */
  readonly videoId: string;
}

/** Whether a message of this form tells which content it means, instead of an id. */
export function namesContent(form: MessageForm): boolean {
  return form === 's3-event' || form === 'event-bridge' || form === 'sns-s3-event';
}

/** Sends a message about an upload; answers with the message's id. */
export async function sendInForm(sqs: SQSClient, queueUrl: string, form: MessageForm, upload: Upload): Promise<string> {
  const id = { DataType: 'String', StringValue: upload.videoId };
  const answer = await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify(bodyOf(form, upload)),
      ...(form === 'legacy' ? { MessageAttributes: { video_id: id } } : {}),
    }),
  );
  return answer.MessageId ?? '';
}

function bodyOf(form: MessageForm, upload: Upload): object {
  const { bucket, key, videoId } = upload;
  const timestamp = new Date().toISOString();
  const wrapped = (inner: MessageForm): object => ({
    Type: 'Notification',
    MessageId: videoId,
    TopicArn: 'arn:aws:sns:us-east-1:000000000000:uploads',
    Message: JSON.stringify(bodyOf(inner, upload)),
  });
  switch (form) {
    case 'backend':
      return { eventType: 'video-uploaded', timestamp, s3: { bucket, key }, video: { id: videoId, status: 'pending' } };
    case 's3-event':
      return { Records: [s3Record(upload, timestamp)] };
    case 'event-bridge':
      return {
        'detail-type': 'Object Created',
        source: 'aws.s3',
        time: timestamp,
        detail: { bucket: { name: bucket }, object: { key, size: upload.size, etag: upload.etag } },
      };
    case 'sns-backend':
      return wrapped('backend');
    case 'sns-s3-event':
      return wrapped('s3-event');
    case 'legacy':
      return { bucket, key };
  }
}

function s3Record({ bucket, key, etag, size }: Upload, eventTime: string): object {
  return {
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventTime,
    s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(key), size, eTag: etag } },
  };
}
