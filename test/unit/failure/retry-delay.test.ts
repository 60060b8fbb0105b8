import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { retryDelaySeconds } from '../../../src/failure/retry-delay.ts';

test('pitfall 21: the delay grows with the receives, differs by class and is capped', () => {
  const network = new Failure('NETWORK', 'x');
  const throttled = new Failure('THROTTLED', 'x');
  expect([1, 2, 3, 50].map((count) => retryDelaySeconds(network, count, () => 1))).toEqual([15, 30, 60, 900]);
  expect(retryDelaySeconds(throttled, 1, () => 1)).toBe(30);
  expect(retryDelaySeconds(network, 1, () => 0)).toBe(8);
});
