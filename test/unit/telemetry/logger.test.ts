import { describe, expect, test } from '@jest/globals';

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

  test('cuts a long text and says how long it was', () => {
    expect(logged('json', (log) => log.info({ output: 'x'.repeat(5000) }, 'x'))).toContain('(5000 characters)');
  });

  test('writes plain lines with fields and the stack of an error', () => {
    const text = logged('pretty', (log) => log.warn({ jobId: 'j1', err: new Error('broken') }, 'went wrong'));
    expect(text).toMatch(/^\S+Z WARN {2}went wrong jobId=j1\n {4}Error: broken\n {4} +at /);
  });
});
