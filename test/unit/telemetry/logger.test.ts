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

  test('cuts a long text at any depth and says how long it was', () => {
    const long = 'x'.repeat(5_000);
    for (const fields of [{ output: long }, { a: { b: [{ c: long }] } }, { err: new Error(long) }]) {
      expect(logged('json', (log) => log.info(fields, 'x'))).toContain('... (5000 characters)');
    }
    expect(logged('json', (log) => log.info(long))).toContain('... (5000 characters)');
    expect(logged('json', (log) => log.child({ long }).info('x'))).toContain('... (5000 characters)');
  });

  test('bounds an entry as a whole, whatever is in it', () => {
    let error = new Error('first');
    const secret = 'password=Zq7hunter '.repeat(100);
    for (let depth = 0; depth < 20_000; depth += 1) error = new Error(secret, { cause: error });
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`name${index}`, 'text '.repeat(100)]));
    const many = Array.from({ length: 100 }, () => ['x'.repeat(10_000)]);
    for (const fields of [{ err: error }, { wide }, { many }, { err: new AggregateError([error, error], 'x') }]) {
      const text = logged('json', (log) => log.info(fields, 'x'));
      expect(text.length).toBeLessThan(80_000);
      expect(text).not.toContain('Zq7');
      expect(JSON.parse(text)).toMatchObject({ msg: 'x' });
    }
  });

  test('scrubs the message, the stack and the fields of every cause of an error', () => {
    const inner = Object.assign(new Error('postgres://worker:Zq7hun/Zq8ter@db/x'), { hint: 'PGPASSWORD=Zq9' });
    const err = new Failure('DATABASE_UNAVAILABLE', 'away', { cause: new Error('password: Zq7', { cause: inner }) });
    for (const format of ['json', 'pretty'] as const) {
      expect(logged(format, (log) => log.error({ err }, 'x'))).not.toMatch(/Zq/);
    }
    const entry: unknown = JSON.parse(logged('json', (log) => log.error({ err }, 'x')));
    const cause = { message: 'password: ***', cause: { message: 'postgres://***@db/x', hint: 'PGPASSWORD=***' } };
    expect(entry).toMatchObject({ err: { type: 'Failure', message: 'away', cause } });
  });

  test('what happened last has its room, however much its causes say', () => {
    let cause = new Error('x'.repeat(10_000));
    for (let depth = 0; depth < 6; depth += 1) cause = new Error('x'.repeat(10_000), { cause });
    const err = new Failure('UNKNOWN', 'the reason', { cause });
    const entry = JSON.parse(logged('json', (log) => log.error({ err }, 'x'))) as { err: Record<string, unknown> };
    expect(entry.err).toMatchObject({ message: 'the reason', stack: err.stack });
  });

  test('what a library hangs onto its errors is told as far as it is small', () => {
    const err = Object.assign(new Error('x'), {
      $metadata: { httpStatusCode: 503, requestId: 'r', deep: { a: 1 } },
      $response: new Map([['body', 'Zq7']]),
      retries: 3,
    });
    const entry = JSON.parse(logged('json', (log) => log.error({ err }, 'x'))) as { err: Record<string, unknown> };
    expect(entry.err).toMatchObject({ $metadata: { httpStatusCode: 503, requestId: 'r' }, retries: 3 });
    expect(entry.err).not.toHaveProperty('$response');
  });

  test('a field cannot replace what the entry is made of', () => {
    const fields = JSON.parse('{"__proto__":{"a":1},"x":{"__proto__":"y"}}') as object;
    expect(logged('json', (log) => log.info(fields, 'x'))).toContain('"__proto__":"y"');
  });

  test('an error that is thrown as a text, or lies in a circle, is told as well', () => {
    expect(logged('json', (log) => log.error({ err: 'password=Zq7' }, 'x'))).toContain('"err":"password=***"');
    const circle = new Error('round');
    circle.cause = circle;
    expect(logged('json', (log) => log.error({ err: circle }, 'x'))).toContain('"message":"round"');
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
