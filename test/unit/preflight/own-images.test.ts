import { expect, test } from '@jest/globals';
import { runCheck } from '../../../src/cli/preflight/check.ts';
import { judgeNotifications, ownImagesCheck, type NotifiedQueue } from '../../../src/cli/preflight/own-images.ts';

const url = 'https://sqs.eu-west-1.amazonaws.com/123456789012/uploads';
const told = (change: Partial<NotifiedQueue> = {}): NotifiedQueue => ({
  arn: 'arn:aws:sqs:eu-west-1:123456789012:uploads',
  prefix: null,
  suffix: null,
  ...change,
});

test.each<[string, NotifiedQueue[], string]>([
  ['nobody', [], 'ok'],
  ['the queue of the uploads', [told()], 'warn'],
  ['another queue', [told({ arn: 'arn:aws:sqs:eu-west-1:123456789012:others' })], 'ok'],
  ['a queue of that name of somebody else', [told({ arn: 'arn:aws:sqs:eu-west-1:999999999999:uploads' })], 'ok'],
  ['the queue, of uploads alone', [told({ prefix: 'uploads/' })], 'ok'],
  ['the queue, of images alone', [told({ prefix: 'highlights/7' })], 'warn'],
  ['the queue, of what begins like images', [told({ prefix: 'high' })], 'warn'],
  ['the queue, of videos alone', [told({ suffix: '.mp4' })], 'ok'],
  ['the queue, of pictures', [told({ suffix: 'jpg' })], 'warn'],
])('a bucket of images that notifies %s', (_whom, notified, status) => {
  expect(judgeNotifications('images', [url], notified).status).toBe(status);
});

test('what may not be read is no warning', async () => {
  const check = ownImagesCheck('images', [url], { notifiedQueues: () => Promise.reject(new Error('AccessDenied')) });
  expect(await runCheck(check, new AbortController().signal)).toMatchObject({ status: 'skipped' });
});
