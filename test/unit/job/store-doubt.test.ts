import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { StoreDoubt } from '../../../src/job/store-doubt.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const denied = (): Promise<never> => Promise.reject(new Failure('OBJECT_FORBIDDEN', 'Access Denied'));

async function ask(doubt: StoreDoubt, key: string, answer: () => Promise<unknown> = denied): Promise<string> {
  return await doubt.ask({ bucket: 'videos', key }, answer).then(
    () => 'read',
    (error: unknown) => (error instanceof Failure ? error.code : 'unknown'),
  );
}

test('after several objects in a row that are denied, a further one is not believed to be forbidden, however often it is asked', async () => {
  const doubt = new StoreDoubt(new HandClock());
  const codes = [];
  for (const key of ['a', 'b', 'c', 'd', 'd', 'e', 'a']) codes.push(await ask(doubt, key));
  const forbidden = ['OBJECT_FORBIDDEN', 'OBJECT_FORBIDDEN', 'OBJECT_FORBIDDEN'];
  expect(codes.slice(0, 3)).toEqual(forbidden);
  expect(new Set(codes.slice(3))).toEqual(new Set(['STORE_MISCONFIGURED']));
});

test('one object that can be read, or a long time without, ends the doubt; other failures are none of it', async () => {
  const clock = new HandClock();
  const doubt = new StoreDoubt(clock);
  for (const key of ['a', 'b', 'c']) await ask(doubt, key);
  expect(await ask(doubt, 'x', async () => 'bytes')).toBe('read');
  expect(await ask(doubt, 'd')).toBe('OBJECT_FORBIDDEN');
  for (const key of ['e', 'f']) await ask(doubt, key);
  clock.jump(600_001);
  expect(await ask(doubt, 'g')).toBe('OBJECT_FORBIDDEN');
  const missing = (): Promise<never> => Promise.reject(new Failure('OBJECT_NOT_FOUND', 'no such key'));
  for (const key of ['h', 'i', 'j', 'k', 'l']) expect(await ask(doubt, key, missing)).toBe('OBJECT_NOT_FOUND');
});

test('one object that is denied again and again is forbidden', async () => {
  const doubt = new StoreDoubt(new HandClock());
  for (let time = 0; time < 10; time += 1) expect(await ask(doubt, 'a')).toBe('OBJECT_FORBIDDEN');
});
