import { expect, test } from '@jest/globals';
import { watchRedrive } from '../../../../src/queue/sqs/redrive-watch.ts';
import { HandClock } from '../../../harness/hand-clock.ts';

const policy = (maxReceiveCount: number) => ({ redrive: { deadLetterArn: 'arn:dead', maxReceiveCount } });

test('the last receive follows the policy of the queue; one that cannot be read changes nothing', async () => {
  const clock = new HandClock();
  const answers = [policy(3), new Error('away'), { redrive: null }];
  let errors = 0;
  const watch = watchRedrive(policy(5), {
    clock,
    intervalMs: 1_000,
    read: async () => {
      const answer = answers.shift() ?? policy(9);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onError: () => (errors += 1),
  });
  const seen = [watch.maxReceives];
  for (let round = 0; round < 3; round += 1) {
    await clock.advance(1_000);
    seen.push(watch.maxReceives);
  }
  expect([seen, errors]).toEqual([[5, 3, 3, null], 1]);
  watch[Symbol.dispose]();
  await clock.advance(10_000);
  expect([watch.maxReceives, clock.timers]).toEqual([null, 0]);
});
