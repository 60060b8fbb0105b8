import { Failure } from '../../../src/failure/failure.ts';
import { idOf } from '../../../src/queue/messages/message-id.ts';
import { parseMessage } from '../../../src/queue/messages/parse-message.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

/** The attribute that names a video beside a body which does not. */
export const target: Target = {
  covers: ['src/queue/messages/parse-message.ts', 'src/queue/messages/message-id.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: ['\0', 'x'.repeat(500), 'x'.repeat(501)],
  check: (input) => {
    const attributes = { video_id: input.toString() };
    const id = idOf('no JSON', attributes);
    must(id === null || (id.length <= 500 && !id.includes('\0')), 'an id is not one that the database keeps');
    const outcome = resultOf(() => parseMessage('{"bucket":"b","key":"k"}', attributes));
    if (outcome instanceof Failure) {
      must(outcome.code === 'MESSAGE_FIELD_MISSING' && id === null, `an attribute is refused with ${outcome.code}`);
      must(outcome.message.length < 1_000, 'a refusal repeats what it refuses');
    } else must(outcome.kind === 'jobs' && outcome.jobs[0]?.videoId === id, 'two readers find different ids');
  },
};
