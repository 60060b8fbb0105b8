import { describe, expect, test } from '@jest/globals';

import { Failure } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';

function logged(format: 'json' | 'pretty', write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(createLogger({ level: 'info', format, name: 'test', destination: { write: (line) => (text += line) } }));
  return text;
}

const SIGNED = 'https://b.s3.amazonaws.com/k.mp4?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP%2F1&X-Amz-Signature=abc123';

describe('createLogger', () => {
  test('writes one JSON object per entry, with the fields of a child', () => {
    const entry: unknown = JSON.parse(logged('json', (log) => log.child({ jobId: 'j1' }).info({ n: 1 }, 'hello')));
    expect(entry).toMatchObject({ level: 'info', name: 'test', jobId: 'j1', n: 1, msg: 'hello' });
  });

  test.each([
    ['a message', (log: ReturnType<typeof createLogger>) => log.info(`get ${SIGNED}`)],
    ['a nested field', (log: ReturnType<typeof createLogger>) => log.info({ a: { b: [SIGNED] } }, 'x')],
    [
      'the cause of an error',
      (log: ReturnType<typeof createLogger>) => log.error({ err: new Error('a', { cause: new Error(SIGNED) }) }, 'x'),
    ],
    ['a child field', (log: ReturnType<typeof createLogger>) => log.child({ url: SIGNED }).info('x')],
  ])('hides the signature of a presigned URL in %s', (_where, write) => {
    const text = logged('json', write);
    expect(text).toContain('k.mp4?***');
    expect(text).not.toMatch(/abc123|AKIA/);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  test.each([
    { password: 'hunter2' },
    { config: { secretAccessKey: 'hunter2' } },
    { url: 'postgres://worker:hunter2@db/x' },
    { text: 'aws_secret_access_key = hunter2' },
    { headers: 'Authorization: Bearer hunter2' },
    { record: { message: { body: 'hunter2' } } },
  ])('hides the secret in %j', (fields) => {
    const text = logged('json', (log) => log.info(fields, 'x'));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('***');
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  test('puts the stage of a failure, and of one below it, among the details', () => {
    const below = new Failure('NETWORK', 'x', { details: { bytes: 1 }, stage: 'download' });
    const err = new Failure('UNKNOWN', 'y', { cause: below, details: { tries: 2 } });
    const entry = JSON.parse(logged('json', (log) => log.error({ err }, 'x'))) as { err: Record<string, unknown> };
    expect(entry.err).toMatchObject({ details: { tries: 2 }, cause: { details: { bytes: 1, stage: 'download' } } });
    expect(entry.err).not.toHaveProperty('stage');
    expect(entry.err['cause']).not.toHaveProperty('stage');
    expect([err.details, below.details]).toEqual([{ tries: 2 }, { bytes: 1 }]);
  });

  test('an error that the worker did not make keeps its own fields', () => {
    const err = Object.assign(new Error('x'), { stage: 'theirs' });
    expect(JSON.parse(logged('json', (log) => log.error({ err }, 'x')))).toMatchObject({ err: { stage: 'theirs' } });
  });

  test('cuts a long text and says how long it was', () => {
    expect(logged('json', (log) => log.info({ output: 'x'.repeat(5000) }, 'x'))).toContain('(5000 characters)');
  });

  test('writes plain lines with fields and the stack of an error', () => {
    const text = logged('pretty', (log) => log.warn({ jobId: 'j1', err: new Error('broken') }, 'went wrong'));
    expect(text).toMatch(/^\S+Z WARN {2}went wrong jobId=j1\n {4}Error: broken\n {4} +at /);
  });

  test('writes plain lines that a key cannot steer the terminal with or break in two', () => {
    const key = 'a\u001b[2J\r\n2026-01-01T00:00:00Z INFO forged\u202egpm.4';
    const text = logged('pretty', (log) => log.warn({ key: '\u001b[2Jk', err: new Error(key) }, `no object ${key}`));
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
    expect(text).toContain('\\u001b[2J\\u000d\\u000a2026');
    expect(text.split('\n').filter((line) => /^\S/.test(line))).toHaveLength(1);
  });
});
