import { Failure } from '../../../src/failure/failure.ts';
import { errorEventRow } from '../../../src/persistence/error-event.ts';
import { must, type Target } from '../engine/target.ts';

/** More than any text of a row: a reason and its note. */
const MOST = 2_100;
const MOST_DETAILS = 10_000;

/** What a failure about a message leaves in the database: its texts are those of a sender. */
export const target: Target = {
  covers: ['persistence/error-event.ts', 'failure/failure.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: ['\0', '\uD83C', '\u{1F3AC}', 'password=hunter2', 'x'.repeat(499), 'x'.repeat(1_023)],
  check: (input) => {
    // With halves of surrogate pairs, which only JSON can bring in.
    const text = input.toString().replaceAll('\uFFFD', '\uD83C');
    const failure = new Failure('MESSAGE_NOT_JSON', text, { details: { text, bytes: 1 } });
    const job = { bucket: text, key: text };
    const row = errorEventRow(failure, { messageId: text, job, body: text, externalId: text, worker: 'w' });
    for (const [name, value] of Object.entries({ ...row, ...(row.details as object) })) {
      if (typeof value !== 'string') continue;
      must(value.length <= MOST, `${name} has ${value.length} characters`);
      must(!value.includes('\0') && value.isWellFormed(), `PostgreSQL cannot store ${name}`);
    }
    must(JSON.stringify(row.details).length <= MOST_DETAILS, 'the details of a row have no end');
  },
};
