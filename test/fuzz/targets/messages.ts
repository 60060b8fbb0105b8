import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../../src/failure/failure.ts';
import { idOf } from '../../../src/queue/messages/message-id.ts';
import {
  MAX_BODY_BYTES,
  parseMessage,
  type ParsedMessage,
  type StringAttributes,
} from '../../../src/queue/messages/parse-message.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

/** Of a few fields, each bounded. */
const MAX_REASON = 4_100;
const ATTRIBUTES: StringAttributes = { video_id: 'from an attribute', event_type: 'video-uploaded' };

/** The body of a message, as anybody who may send to the queue writes it. */
export const target: Target = {
  covers: ['src/queue/messages/parse-message.ts', 'src/queue/messages/message-id.ts', 'src/queue/messages/job.ts'],
  maxBytes: 1 << 20,
  form: 'json',
  words: [
    'eventType',
    'video-uploaded',
    's3',
    'bucket',
    'key',
    'name',
    'object',
    'video',
    'id',
    'processing',
    'priority',
    'high',
    'Records',
    'eventName',
    'ObjectCreated:Put',
    'eTag',
    'etag',
    'versionId',
    'version-id',
    'size',
    'detail',
    'detail-type',
    'Object Created',
    'Type',
    'Notification',
    'Message',
    'Event',
    's3:TestEvent',
    'arn:aws:s3:::',
    '_$folder$',
  ],
  check: (input) => {
    const body = input.toString();
    const first = outcomeOf(body);
    must(isDeepStrictEqual(first, outcomeOf(body)), 'the same message is read in two ways');
    must(Object.keys(Object.prototype).length === 0, 'what all objects inherit was changed');
    if (!('jobs' in first)) return;
    checkJobs(first);
    checkEnvelope(body, first);
    const [job] = first.jobs;
    if (job?.source === 'backend') must(idOf(body, ATTRIBUTES) === job.videoId, 'two readers find different ids');
  },
};

type Outcome = ParsedMessage | { readonly code: string; readonly message: string };

function outcomeOf(body: string): Outcome {
  const outcome = resultOf(() => parseMessage(body, ATTRIBUTES));
  const id = idOf(body, ATTRIBUTES);
  must(id !== null && id.length <= 500 && !id.includes('\0'), 'an id is not one that the database keeps');
  if (!(outcome instanceof Failure)) return outcome;
  must(outcome.class === 'permanent', `a message is refused as ${outcome.class} (${outcome.code})`);
  must(outcome.code.startsWith('MESSAGE_'), `a message is refused with ${outcome.code}`);
  must(outcome.message.length <= MAX_REASON, `a refusal of ${outcome.message.length} characters`);
  return { code: outcome.code, message: outcome.message };
}

function checkJobs({ jobs }: Extract<ParsedMessage, { kind: 'jobs' }>): void {
  must(jobs.length > 0, 'a message without a job is told as one with jobs');
  for (const job of jobs) {
    const { bucket, key, versionId, etag, videoId, priority } = job;
    must(bucket !== '' && key !== '', 'a job names no object');
    must(Buffer.byteLength(key) <= 1_024, 'a key is longer than S3 has them');
    must(versionId !== '' && etag !== '', 'an empty version or ETag counts as one');
    must(
      videoId === null || (videoId !== '' && videoId.length <= 500 && !videoId.includes('\0')),
      'an id cannot be kept',
    );
    must(['high', 'normal', 'low'].includes(priority), 'a priority that there is not');
    must(
      Object.getPrototypeOf(job) === Object.prototype && Object.keys(job).length === 7,
      'a job has fields of its own',
    );
  }
}

/** An envelope changes nothing of what it carries. */
function checkEnvelope(body: string, { jobs }: Extract<ParsedMessage, { kind: 'jobs' }>): void {
  const wrapped = JSON.stringify({ Type: 'Notification', Message: body });
  if (Buffer.byteLength(wrapped) > MAX_BODY_BYTES) return;
  const outcome = resultOf(() => parseMessage(wrapped, ATTRIBUTES));
  if (outcome instanceof Failure) must(outcome.message.includes('envelopes'), `in an envelope: ${outcome.message}`);
  else must(outcome.kind === 'jobs' && isDeepStrictEqual(outcome.jobs, jobs), 'an envelope changes the jobs');
}
