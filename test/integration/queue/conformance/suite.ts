import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import type { EntryResult, MessageQueue } from '../../../../src/queue/message-queue.ts';
import { textAttributes, type MessageAttribute, type ReceivedMessage } from '../../../../src/queue/received-message.ts';

export interface Sent {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly groupId?: string;
}

/** One queue of a backend, and what a test needs beside the port. */
export interface QueueUnderTest {
  readonly queue: MessageQueue;
  readonly send: (message: Sent) => Promise<void>;
  /** Bodies and attributes of the dead-letter copies, as a reader of that place sees them. */
  readonly deadLetters: () => Promise<readonly Pick<ReceivedMessage, 'body' | 'attributes'>[]>;
  /** Removes the queue from the server: every later call is about a queue that is not there. */
  readonly destroy: () => Promise<void>;
}

export interface QueueBackend extends AsyncDisposable {
  open(options: { readonly isOrdered: boolean; readonly hasDeadLetters: boolean }): Promise<QueueUnderTest>;
}

export const OLD_HANDLE = 'the handle of an older receive does not take the message away from who has it now';

const CALL_MS = 5_000;
const LONG = 60;
const REASON = {
  failure: new Failure('NOT_A_VIDEO', 'the file is not a video'),
  workerVersion: '1.2.3',
  correlationId: 'correlation',
};

const kinds = (results: readonly EntryResult[]): string[] => results.map(({ kind }) => kind);
const bodies = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ body }) => body).sort();

/** What the engine relies on, for every backend of the port. Waits are polls of the queue itself: nothing sleeps. */
export function describeQueue(
  name: string,
  start: () => Promise<QueueBackend>,
  /** Where this server is known not to do what SQS does: titles of tests that are left out. */
  deviations: readonly string[] = [],
): void {
  describe(name, () => {
    let backend: QueueBackend;

    beforeAll(async () => {
      backend = await start();
    }, 60_000);
    afterAll(async () => {
      await backend?.[Symbol.asyncDispose]();
    });

    const open = (options: { isOrdered?: boolean; hasDeadLetters?: boolean } = {}): Promise<QueueUnderTest> =>
      backend.open({ isOrdered: false, hasDeadLetters: true, ...options });
    const take = async (queue: MessageQueue, visibilitySeconds = LONG, waitSeconds = 5): Promise<ReceivedMessage> => {
      const [message] = await queue.receive({ maxMessages: 1, waitSeconds, visibilitySeconds });
      if (message === undefined) throw new Error(`the queue gave no message within ${waitSeconds} s`);
      return message;
    };
    const look = (queue: MessageQueue, waitSeconds = 0): Promise<readonly ReceivedMessage[]> =>
      queue.receive({ maxMessages: 10, waitSeconds, visibilitySeconds: LONG });

    test('a message comes as it was sent, with every kind of attribute', async () => {
      const { queue, send } = await open();
      const attributes = {
        text: { type: 'String', value: 'gr\u00fc\u00df dich' },
        number: { type: 'Number', value: '42' },
        bytes: { type: 'Binary', value: new Uint8Array([0, 255, 7]) },
      };
      await send({ body: '{"a":"\u00fc"}', attributes });
      const message = await take(queue);
      expect(message).toMatchObject({ body: '{"a":"\u00fc"}', receiveCount: 1, groupId: null });
      expect(textAttributes(message)).toEqual({ text: 'gr\u00fc\u00df dich', number: '42' });
      expect(message.attributes['number']?.type).toBe('Number');
      expect(message.attributes['bytes']?.value).toEqual(new Uint8Array([0, 255, 7]));
    });

    test('what is received is hidden, comes back when its time is over, counted and under another handle', async () => {
      const { queue, send } = await open();
      await send({ body: 'a' });
      const first = await take(queue, 1);
      expect(await look(queue)).toEqual([]);
      const second = await take(queue);
      expect(second).toMatchObject({ messageId: first.messageId, receiveCount: 2 });
      expect(second.receiptHandle).not.toBe(first.receiptHandle);
    });

    test('a receive brings at most what was asked for, and no more than its limit', async () => {
      const { queue, send } = await open();
      for (const body of ['a', 'b', 'c']) await send({ body });
      const some = await queue.receive({ maxMessages: 2, waitSeconds: 1, visibilitySeconds: LONG });
      expect(some.length).toBeGreaterThan(0);
      expect(some.length).toBeLessThanOrEqual(2);
      const rest: ReceivedMessage[] = [...some];
      while (rest.length < 3) rest.push(await take(queue));
      expect(bodies(rest)).toEqual(['a', 'b', 'c']);
      expect(queue.limits.batch).toBeGreaterThanOrEqual(1);
    });

    test('a poll that finds nothing waits, and is answered by the first message; an empty one ends by itself', async () => {
      const { queue, send } = await open();
      expect(await look(queue, 1)).toEqual([]);
      const poll = take(queue, LONG, 20);
      await send({ body: 'late' });
      expect((await poll).body).toBe('late');
    });

    test('an extension counts from its call and keeps the message hidden', async () => {
      const { queue, send } = await open();
      await send({ body: 'a' });
      const message = await take(queue, 2);
      expect(kinds(await queue.extend([{ receiptHandle: message.receiptHandle, seconds: LONG }], CALL_MS))).toEqual([
        'ok',
      ]);
      expect(await look(queue, 3)).toEqual([]);
    });

    test('what is given back comes at once, or after its delay', async () => {
      const { queue, send } = await open();
      await send({ body: 'a' });
      const first = await take(queue);
      expect(kinds(await queue.giveBack([{ receiptHandle: first.receiptHandle, seconds: 0 }], CALL_MS))).toEqual([
        'ok',
      ]);
      const second = await take(queue);
      expect(second.receiveCount).toBe(2);
      expect(kinds(await queue.giveBack([{ receiptHandle: second.receiptHandle, seconds: 1 }], CALL_MS))).toEqual([
        'ok',
      ]);
      expect(await look(queue)).toEqual([]);
      expect((await take(queue)).receiveCount).toBe(3);
    });

    test('what is acknowledged is gone, also when it was about to come back', async () => {
      const { queue, send } = await open();
      await send({ body: 'a' });
      const message = await take(queue, 1);
      expect(kinds(await queue.acknowledge([message.receiptHandle], CALL_MS))).toEqual(['ok']);
      expect(await look(queue, 2)).toEqual([]);
    });

    test('a message that is gone is told as gone when it is extended, and only it', async () => {
      const { queue, send } = await open();
      await send({ body: 'kept' });
      await send({ body: 'deleted' });
      const taken = new Map<string, string>();
      while (taken.size < 2) {
        const { body, receiptHandle } = await take(queue);
        taken.set(body, receiptHandle);
      }
      const [kept = '', deleted = ''] = [taken.get('kept'), taken.get('deleted')];
      await queue.acknowledge([deleted], CALL_MS);
      const entries = [deleted, kept].map((receiptHandle) => ({ receiptHandle, seconds: LONG }));
      expect(kinds(await queue.extend(entries, CALL_MS))).toEqual(['gone', 'ok']);
    });

    const deviates = deviations.includes(OLD_HANDLE);
    (deviates ? test.skip : test)(deviates ? `${OLD_HANDLE} (this server takes old handles)` : OLD_HANDLE, async () => {
      const { queue, send } = await open();
      await send({ body: 'a' });
      const old = await take(queue, 1);
      const now = await take(queue);
      await queue.acknowledge([old.receiptHandle], CALL_MS);
      expect(kinds(await queue.extend([{ receiptHandle: now.receiptHandle, seconds: 1 }], CALL_MS))).toEqual(['ok']);
      expect((await take(queue)).messageId).toBe(now.messageId);
    });

    test('a whole batch is one call with one result per entry', async () => {
      const { queue, send } = await open();
      const count = queue.limits.batch;
      for (let index = 0; index < count; index += 1) await send({ body: String(index) });
      const all: ReceivedMessage[] = [];
      while (all.length < count) {
        all.push(...(await queue.receive({ maxMessages: count, waitSeconds: 5, visibilitySeconds: LONG })));
      }
      const handles = all.map(({ receiptHandle }) => receiptHandle);
      expect(kinds(await queue.acknowledge(handles, CALL_MS))).toEqual(handles.map(() => 'ok'));
      expect(await look(queue)).toEqual([]);
    });

    test('a dead letter keeps body and attributes and says why; the original stays until it is acknowledged', async () => {
      const { queue, send, deadLetters } = await open();
      await send({ body: '{"key":"a"}', attributes: { video_id: { type: 'String', value: '7' } } });
      const message = await take(queue);
      await queue.deadLetter?.(message, REASON);
      const [copy, ...others] = await deadLetters();
      expect(others).toEqual([]);
      expect(copy?.body).toBe('{"key":"a"}');
      expect(
        Object.fromEntries(Object.entries(copy?.attributes ?? {}).map(([key, { value }]) => [key, value])),
      ).toEqual(
        expect.objectContaining({
          video_id: '7',
          failure_class: 'permanent',
          failure_code: 'NOT_A_VIDEO',
          failure_reason: 'the file is not a video',
          failure_attempt: '1',
          worker_version: '1.2.3',
          original_message_id: message.messageId,
          correlation_id: 'correlation',
        }),
      );
      expect(kinds(await queue.giveBack([{ receiptHandle: message.receiptHandle, seconds: 0 }], CALL_MS))).toEqual([
        'ok',
      ]);
      expect((await take(queue)).messageId).toBe(message.messageId);
    });

    test('a queue that knows no place for dead letters says so', async () => {
      const { queue } = await open({ hasDeadLetters: false });
      expect(queue.deadLetter).toBeNull();
    });

    test('an ordered queue hands a group out in order and holds it back while a message of it is out', async () => {
      const { queue, send } = await open({ isOrdered: true });
      expect(queue.isOrdered).toBe(true);
      for (const body of ['a1', 'a2']) await send({ body, groupId: 'a' });
      const first = await take(queue);
      expect(first).toMatchObject({ body: 'a1', groupId: 'a' });
      await send({ body: 'b1', groupId: 'b' });
      expect(bodies(await look(queue, 1))).toEqual(['b1']);
      await queue.acknowledge([first.receiptHandle], CALL_MS);
      expect((await take(queue)).body).toBe('a2');
    });

    test('two queues are two: ids differ, and what one holds the other never gives', async () => {
      const [one, other] = [await open(), await open()];
      expect(one.queue.id).not.toBe(other.queue.id);
      await one.send({ body: 'a' });
      expect(await look(other.queue)).toEqual([]);
      expect((await take(one.queue)).body).toBe('a');
    });

    test('of a queue that is not there any more each entry is told as gone, and only a receive rejects', async () => {
      const { queue, send, destroy } = await open();
      await send({ body: 'a' });
      const { receiptHandle } = await take(queue);
      await destroy();
      const entries = [{ receiptHandle, seconds: 1 }];
      expect(kinds(await queue.extend(entries, CALL_MS))).toEqual(['gone']);
      expect(kinds(await queue.giveBack(entries, CALL_MS))).toEqual(['gone']);
      expect(kinds(await queue.acknowledge([receiptHandle], CALL_MS))).toEqual(['gone']);
      await expect(look(queue)).rejects.toThrow();
    });
  });
}
