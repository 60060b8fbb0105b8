import { expect, test } from '@jest/globals';
import { Slots, type Slot } from '../../../src/worker/slots.ts';

const all = (count: number): number => count;

/** Occupies a place until the returned function is called. */
function occupy(slots: Slots): { readonly slot: Slot; readonly end: () => void } {
  const work = Promise.withResolvers<void>();
  const taken: Slot[] = [];
  slots.occupy((slot) => {
    taken.push(slot);
    return work.promise;
  });
  return { slot: taken[0]!, end: work.resolve };
}

test('work occupies a slot until it is over, a delete on its way does not', async () => {
  let freed = 0;
  const slots = new Slots(3, () => (freed += 1));
  const { slot, end } = occupy(slots);
  occupy(slots);
  expect(slots.free(all)).toBe(1);
  slot.deleting();
  expect([freed, slots.free(all)]).toEqual([1, 2]);
  end();
  await new Promise(setImmediate);
  expect([freed, slots.free(all)]).toEqual([2, 2]);
});

test('what waits occupies no place, is told when it gives one up, and occupies one again when it goes on', () => {
  let freed = 0;
  const slots = new Slots(1, () => (freed += 1));
  const { slot } = occupy(slots);
  slot.release();
  slot.release();
  expect([slots.free(all), slots.busy, freed]).toEqual([1, 0, 1]);
  slot.retake();
  expect([slots.free(all), slots.busy]).toEqual([0, 1]);
});

test('all that was taken is waited for at the end, also what waits without a place', async () => {
  const slots = new Slots(1, () => undefined);
  const { slot, end } = occupy(slots);
  slot.release();
  let isIdle = false;
  const idle = slots.idle().then(() => (isIdle = true));
  await new Promise(setImmediate);
  expect(isIdle).toBe(false);
  end();
  await idle;
});

test('deletes that do not get through let at most as many messages more in as there are slots', () => {
  const slots = new Slots(2, () => undefined);
  for (let message = 0; message < 4; message += 1) occupy(slots).slot.deleting();
  expect(slots.free(all)).toBe(0);
});

test('while a circuit is open its limit holds, whatever is being deleted', () => {
  const slots = new Slots(4, () => undefined);
  occupy(slots);
  slots.circuitOpened();
  occupy(slots);
  occupy(slots).slot.deleting();
  expect(slots.free((_count, older) => older + 1)).toBe(-1);
  expect(slots.free(all)).toBe(2);
});
