import { httpUrl, integer, onOff } from '../forms.ts';
import { optional, withDefault } from '../key.ts';
import { REGION } from './shared-forms.ts';

const QUEUE = httpUrl();

export const AWS_KEYS = {
  region: withDefault('AWS_REGION', REGION, 'ap-northeast-2', {
    description: 'region of the queues and buckets; credentials come from the usual AWS chain',
  }),
  endpointUrl: optional('AWS_ENDPOINT_URL', httpUrl(), {
    description: 'another endpoint for SQS and S3, such as LocalStack',
    example: 'http://localhost:4566',
  }),
  s3ForcePathStyle: withDefault('S3_FORCE_PATH_STYLE', onOff(), 'off', {
    description: 'bucket in the path instead of the host name; local emulators need it',
    example: 'on',
  }),
} as const;

export const QUEUE_KEYS = {
  url: optional('SQS_QUEUE_URL', QUEUE, {
    neededBy: ['queue'],
    description: 'queue of the upload messages',
    example: 'http://localhost:4566/000000000000/video-upload',
  }),
  urlHigh: optional('SQS_QUEUE_URL_HIGH', QUEUE, { description: 'queue that is asked more often' }),
  urlLow: optional('SQS_QUEUE_URL_LOW', QUEUE, { description: 'queue that is asked less often' }),
  weightHigh: withDefault('SQS_WEIGHT_HIGH', integer('share', 1, 100), '6', {
    description: 'share of the polls that go to the high queue',
  }),
  weightNormal: withDefault('SQS_WEIGHT_NORMAL', integer('share', 1, 100), '3', {
    description: 'share of the polls that go to SQS_QUEUE_URL',
  }),
  weightLow: withDefault('SQS_WEIGHT_LOW', integer('share', 1, 100), '1', {
    description: 'share of the polls that go to the low queue',
  }),
  deadLetterUrl: optional('SQS_DLQ_URL', QUEUE, {
    description:
      "queue of the messages that can never succeed, with the reason; the one of the queue's redrive policy when absent",
    example: 'http://localhost:4566/000000000000/video-upload-dlq',
  }),
  waitSeconds: withDefault('SQS_WAIT_SECONDS', integer('seconds', 0, 20), '20', {
    description: 'length of a long poll',
  }),
  visibilityTimeoutSeconds: withDefault('VISIBILITY_TIMEOUT_SECONDS', integer('seconds', 10, 43_200), '300', {
    description: 'lease on a message; renewed at a third of it',
  }),
  maxWaiting: withDefault('MAX_WAITING_MESSAGES', integer('messages', 0, 10_000), '100', {
    description:
      'messages that may wait under their leases at once, for another run of their object or for what is away; others go back',
  }),
  maxRetryDelaySeconds: withDefault('MAX_RETRY_DELAY_SECONDS', integer('seconds', 1, 43_200), '1800', {
    description:
      'longest time until a message that failed for now is tried again, given back or waiting under its lease',
  }),
} as const;
