import { Failure } from '../../../src/failure/failure.ts';
import { parseMessage } from '../../../src/queue/messages/parse-message.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const MAX_KEY_BYTES = 1_024;

/** The key of an object: as S3 encodes it in an event, and as anybody may write it there. */
export const target: Target = {
  covers: ['src/queue/messages/parse-message.ts', 'src/queue/messages/job.ts'],
  maxBytes: 8_192,
  form: 'text',
  words: ['%', '%25', '%2B', '%2F', '%00', '%C3%A9', '%F0%9F%8E%AC', '%ED%A0%80', '+', '/', '_$folder$', '.mp4'],
  check: (input) => {
    const text = input.toString();
    const raw = keyFrom(text);
    if (raw instanceof Failure) must(raw.class === 'permanent', `a key is refused as ${raw.class}`);
    else must(raw === null || raw === decoded(text), 'a key is not decoded exactly once');
    if (text === '' || !text.isWellFormed()) return;
    const back = keyFrom(encodeURIComponent(text).replaceAll('%20', '+'));
    if (back instanceof Failure) {
      must(Buffer.byteLength(text) > MAX_KEY_BYTES, `a key that S3 can hold is refused: ${back.message}`);
    } else must(back === text, 'a key does not come back as it was encoded');
  },
};

/** Null: the mark of a folder. */
function keyFrom(key: string): string | null | Failure {
  const s3 = { bucket: { name: 'b' }, object: { key, size: 1 } };
  const found = resultOf(() => parseMessage(JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3 }] })));
  if (found instanceof Failure) return found;
  return found.kind === 'jobs' ? (found.jobs[0]?.key ?? null) : null;
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
