import { expect, test } from '@jest/globals';
import { factsOf, Failure, withStage } from '../../../src/failure/failure.ts';

test('a failure keeps its first stage, its facts, cause and stack', () => {
  const cause = new Error('below');
  const failure = new Failure('NETWORK', 'x', { cause, details: { bytes: 3 } });
  expect(failure.stage).toBeNull();
  const named = withStage(failure, 'download');
  expect(named).toMatchObject({ code: 'NETWORK', details: { bytes: 3 }, stage: 'download' });
  expect(named.cause).toBe(cause);
  expect(named.stack).toBe(failure.stack);
  expect(withStage(named, 'store')).toBe(named);
});

test('what is written down has the stage among the facts where there is one', () => {
  const failure = new Failure('NETWORK', 'x', { details: { bytes: 3 } });
  expect(factsOf(failure)).toEqual({ bytes: 3 });
  expect(factsOf(withStage(failure, 'download'))).toEqual({ bytes: 3, stage: 'download' });
});
