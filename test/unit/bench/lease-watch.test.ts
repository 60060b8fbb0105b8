import { expect, test } from '@jest/globals';
import { metric } from '../../bench/loop.ts';
import { leaseCall, leaseGaps } from '../../bench/loop/lease-watch.ts';

test('a call says which leases it begins, renews or ends', () => {
  const handles = (...names: readonly string[]) => names.map((ReceiptHandle) => ({ ReceiptHandle }));
  expect(leaseCall('AmazonSQS.ReceiveMessage', '{}', JSON.stringify({ Messages: handles('a', 'b') }))).toEqual({
    kind: 'receive',
    handles: ['a', 'b'],
  });
  const entries = (seconds: number) =>
    JSON.stringify({ Entries: [{ ReceiptHandle: 'a', VisibilityTimeout: seconds }] });
  const change = 'AmazonSQS.ChangeMessageVisibilityBatch';
  expect(leaseCall(change, entries(30), '{}')?.kind).toBe('renew');
  expect(leaseCall(change, entries(0), '{}')?.kind).toBe('settle');
  expect(leaseCall('AmazonSQS.DeleteMessageBatch', JSON.stringify({ Entries: handles('a') }), '{}')?.kind).toBe(
    'settle',
  );
  expect(leaseCall('AmazonSQS.GetQueueAttributes', '{}', '{}')).toBeNull();
});

test('a lease is late where the queue waited for its renewal, or for its end, and not after it', () => {
  const calls = [
    { kind: 'receive', atMs: 0, handles: ['a', 'b'] },
    { kind: 'renew', atMs: 9_000, handles: ['a'] },
    { kind: 'settle', atMs: 4_000, handles: ['b'] },
    { kind: 'renew', atMs: 21_000, handles: ['a'] },
    { kind: 'settle', atMs: 22_000, handles: ['a'] },
    { kind: 'receive', atMs: 90_000, handles: ['c'] },
  ] as const;
  expect(leaseGaps(calls)).toEqual([12, 9, 4, 1]);
});

test('a metric is the sum over its labels', () => {
  const text = '# HELP jobs_total Jobs\njobs_total{outcome="a"} 2\njobs_total{outcome="b"} 3\njobs_totals 9\nup 1.5\n';
  expect([metric(text, 'jobs_total'), metric(text, 'up'), metric(text, 'absent')]).toEqual([5, 1.5, 0]);
});
