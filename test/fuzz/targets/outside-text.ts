import { Failure } from '../../../src/failure/failure.ts';
import { FIELD_LENGTH, outsideText } from '../../../src/text/outside-text.ts';
import { scrub } from '../../../src/text/scrub.ts';
import { must, type Target } from '../engine/target.ts';

/** The note of the whole length comes on top. */
const NOTE = 40;
const MESSAGE_LENGTH = 4_000;

/** A text from outside on its way into a failure, a log line or a row. */
export const target: Target = {
  covers: ['text/outside-text.ts', 'text/bounded.ts', 'failure/failure.ts'],
  maxBytes: 1 << 20,
  form: 'text',
  words: [
    'password=',
    'postgres://u:p@',
    '\u{1F3AC}',
    'x'.repeat(299),
    'x'.repeat(4_000),
    'AKIAIOSFODNN7EXAMPLE',
    '\n',
  ],
  // Only the beginning is read, however long the text: decoding it takes the most of this.
  allowance: { fixedMs: 40, msPerKib: 0.1 },
  check: (input) => {
    const text = input.toString();
    const told = outsideText(text);
    must(told.length <= FIELD_LENGTH + NOTE, `${told.length} characters are told`);
    must(told.isWellFormed() || !text.isWellFormed(), 'a character is cut in two');
    const { message, details } = new Failure('UNKNOWN', text, { details: { text } });
    must(message.length <= MESSAGE_LENGTH + NOTE, `a failure has a message of ${message.length} characters`);
    must(String(details['text']).length <= MESSAGE_LENGTH, 'a detail of a failure has no end');
    must(scrub(message) === message, 'a failure has a secret in it');
  },
};
