import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { errorEventRow } from '../../../src/persistence/error-event.ts';

test('a row is bounded in every text and holds no secret, whatever a message holds', () => {
  const long = `password=Zq7hunter ${'x'.repeat(300_000)}`;
  const failure = new Failure('NOT_A_VIDEO', long, { details: { words: long, token: 'fine' } });
  const job = { bucket: long, key: long };
  const row = errorEventRow(failure, { messageId: long, job, body: long, externalId: 'id' });
  expect(JSON.stringify(row).length).toBeLessThan(8_000);
  for (const text of [row.reason, row.excerpt, JSON.stringify(row.details)]) expect(text).toContain('password=***');
  expect([row.reason, row.excerpt, JSON.stringify(row.details)].join('\n')).not.toContain('Zq7');
  expect(row.externalId).toBe('id');
});

test('a secret that the end of the excerpt falls into shows no half', () => {
  for (let before = 380; before <= 500; before += 1) {
    const body = `${' '.repeat(before)}{"password":"Zq7hunter Zq8hunter Zq9hunter"} ${'x'.repeat(10_000)}`;
    expect(errorEventRow(new Failure('UNKNOWN', 'x'), { body }).excerpt).not.toMatch(/Zq/);
  }
});

test('a name of an object as long as S3 takes it stands whole', () => {
  const job = { bucket: 'b'.repeat(63), key: `videos/${'k'.repeat(1_017)}` };
  expect(errorEventRow(new Failure('OBJECT_NOT_FOUND', 'x'), { job })).toMatchObject(job);
});

test('a text is never cut into half of a character', () => {
  const row = errorEventRow(new Failure('UNKNOWN', 'x'), { job: { bucket: 'b', key: '😀'.repeat(600) } });
  expect(String(row.key).isWellFormed()).toBe(true);
  expect(row.key).toMatch(/\(1200 characters\)$/);
});
