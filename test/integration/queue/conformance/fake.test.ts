import { deadLetterFacts } from '../../../../src/queue/dead-letter-facts.ts';
import type { DeadLetterReason } from '../../../../src/queue/message-queue.ts';
import type { MessageAttribute, ReceivedMessage } from '../../../../src/queue/received-message.ts';
import { FakeQueue } from '../../../harness/fake-queue.ts';
import { HandClock } from '../../../harness/hand-clock.ts';
import type { QueueBackend, QueueUnderTest } from './suite.ts';
import { describeQueue } from './suite.ts';

/** The queue in memory, whose time runs as far as each poll needs. */
function fakeBackend(): QueueBackend {
  let made = 0;
  return {
    async open({ isOrdered, hasDeadLetters }): Promise<QueueUnderTest> {
      const clock = new HandClock();
      made += 1;
      const fake = new FakeQueue({ clock, id: `fake-${made}`, isOrdered, hasDeadLetters });
      const receive = fake.receive.bind(fake);
      // Another test of the suite sends while a poll is open: it has a turn before time runs.
      fake.receive = (request) =>
        new Promise((resolve) => setImmediate(resolve)).then(() => clock.until(receive(request)));
      return {
        queue: fake,
        send: async ({ body, attributes, groupId }) => {
          fake.send(body, { groupId: groupId ?? null, ...(attributes === undefined ? {} : { attributes }) });
        },
        deadLetters: async () =>
          fake.deadLetters.map(({ message, reason }) => ({
            body: message.body,
            attributes: { ...message.attributes, ...texts(message, reason) },
          })),
        destroy: async () => {
          fake.destroy();
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

function texts(message: ReceivedMessage, why: DeadLetterReason): Record<string, MessageAttribute> {
  const { reason, context } = deadLetterFacts(message, why);
  return Object.fromEntries(
    Object.entries({ ...reason, ...context }).map(([name, value]) => [name, { type: 'String', value }]),
  );
}

describeQueue('the queue in memory that tests use', async () => fakeBackend());
