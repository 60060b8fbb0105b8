import { expect, test } from '@jest/globals';
import { Slots } from '../../../src/worker/slots.ts';

const all = (count: number): number => count;

test('work occupies a slot until it is over, a delete on its way does not', async () => {
  const slots = new Slots(3);
  const work = Promise.withResolvers<void>();
  const acknowledge = Promise.withResolvers<string>();
  let freed = 0;
  slots.occupy(work.promise, () => (freed += 1));
  slots.occupy(new Promise(() => undefined), () => undefined);
  expect(slots.free(all)).toBe(1);
  const acknowledged = slots.withoutSlot(() => acknowledge.promise);
  expect(slots.free(all)).toBe(2);
  acknowledge.resolve('deleted');
  expect(await acknowledged).toBe('deleted');
  expect(slots.free(all)).toBe(1);
  work.resolve();
  await new Promise(setImmediate);
  expect([freed, slots.free(all)]).toEqual([1, 2]);
});

test('deletes that do not get through let at most as many messages more in as there are slots', () => {
  const slots = new Slots(2);
  const stuck = (): Promise<never> => new Promise(() => undefined);
  for (let message = 0; message < 4; message += 1) {
    slots.occupy(stuck(), () => undefined);
    void slots.withoutSlot(stuck);
  }
  expect(slots.free(all)).toBe(0);
});

test('while a circuit is open its limit holds, whatever is being deleted', () => {
  const slots = new Slots(4);
  slots.occupy(new Promise(() => undefined), () => undefined);
  slots.circuitOpened();
  slots.occupy(new Promise(() => undefined), () => undefined);
  void slots.withoutSlot(() => new Promise(() => undefined));
  expect(slots.free((_count, older) => older + 1)).toBe(0);
  expect(slots.free(all)).toBe(3);
});

test('a failing delete gives its place back', async () => {
  const slots = new Slots(1);
  await expect(slots.withoutSlot(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  slots.occupy(new Promise(() => undefined), () => undefined);
  expect(slots.free(all)).toBe(0);
});
