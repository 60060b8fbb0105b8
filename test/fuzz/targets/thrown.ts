import { toFailure } from '../../../src/failure/classify.ts';
import { FAILURE_CODES } from '../../../src/failure/codes.ts';
import { errorEntry } from '../../../src/telemetry/error-entry.ts';
import { guardedEntry } from '../../../src/telemetry/log-guard.ts';
import { must, type Target } from '../engine/target.ts';

const MAX_MESSAGE = 4_100;
const MAX_ENTRY = 60_000;
const DEEPEST = 30;

/** An error of a library or a service, of which nothing is known: its fields, and those of its causes, as an object. */
export const target: Target = {
  covers: [
    'failure/classify.ts',
    'failure/causes.ts',
    'failure/broken-install.ts',
    'sources/aws.ts',
    'sources/node.ts',
    'sources/errno.ts',
    'sources/onnxruntime.ts',
    'sources/postgres.ts',
    'sources/broken-rule.ts',
    'telemetry/error-entry.ts',
  ],
  maxBytes: 1 << 17,
  form: 'json',
  words: [
    'name',
    'message',
    'code',
    'errno',
    'syscall',
    'cause',
    'suppressed',
    'errors',
    '$metadata',
    '$fault',
    'httpStatusCode',
    'ECONNRESET',
    'ENOSPC',
    'EMFILE',
    'ERR_MODULE_NOT_FOUND',
    'NoSuchKey',
    'AccessDenied',
    'ThrottlingException',
    '23505',
    '57P01',
    'severity',
    'constraint',
    'detail',
    'CUDA failure 2: out of memory',
    'Non-zero status code returned while running Conv node.',
    'P2002',
    'meta',
  ],
  allowance: { fixedMs: 60, msPerKib: 2 },
  check: (input) => {
    let json: unknown;
    try {
      json = JSON.parse(input.toString());
    } catch {
      return;
    }
    const error = errorFrom(json, 0);
    const failure = toFailure(error);
    must(
      failure.code in FAILURE_CODES && failure.class === FAILURE_CODES[failure.code].class,
      'a code that there is not',
    );
    must(failure.message !== '' && failure.message.length <= MAX_MESSAGE, `a message of ${failure.message.length}`);
    must(toFailure(failure) === failure, 'a failure becomes another one');
    const entry = JSON.stringify(guardedEntry({ err: errorEntry(failure) }));
    must(entry.length <= MAX_ENTRY, `an error is logged with ${entry.length} characters`);
  },
};

/** Errors that have the fields of objects, of whatever type, with causes that are errors as well. */
function errorFrom(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > DEEPEST) return value;
  const { cause, errors, ...fields } = value as Record<string, unknown>;
  const options = cause === undefined ? undefined : { cause: errorFrom(cause, depth + 1) };
  const behind = Array.isArray(errors) ? errors.map((each) => errorFrom(each, depth + 1)) : null;
  const error = behind === null ? new Error('', options) : new AggregateError(behind, '', options);
  for (const [name, field] of Object.entries(fields)) {
    Object.defineProperty(error, name, { value: field, enumerable: true, configurable: true });
  }
  return error;
}
