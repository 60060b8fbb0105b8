import { expect, test } from '@jest/globals';
import { MemoryFiller } from '../../../../src/video/reading/memory-filler.ts';
import { FILLED, PROGRESS_INTS, READS, type LentMemory } from '../../../../src/video/reading/thread-messages.ts';
import { seededRandom } from '../../../chaos/random.ts';

/** Memory is a little longer than a frame, as a pool's is. */
const lendable = (number: number, bytes = 8): LentMemory => ({ number, memory: new SharedArrayBuffer(bytes + 3) });

function open(frameBytes: number, lent: readonly LentMemory[]) {
  const progress = new SharedArrayBuffer(PROGRESS_INTS * 4);
  const whole: number[] = [];
  const filler = new MemoryFiller({ path: '', frameBytes, lent, progress }, (number) => whole.push(number));
  const seen = new Int32Array(progress);
  /** As the kernel does: into the room that was asked for last. */
  const arrive = (...bytes: number[]): boolean => {
    filler.room().set(bytes);
    return filler.filled(bytes.length);
  };
  return { filler, whole, arrive, seen };
}

test('it stops when all memory but one piece holds whole frames, and tells how far it is', () => {
  const { filler, whole, arrive, seen } = open(
    2,
    [1, 2, 3].map((number) => lendable(number)),
  );
  expect([arrive(1, 1), arrive(2), arrive(2)]).toEqual([true, true, false]);
  expect([whole, seen[FILLED], seen[READS]]).toEqual([[3, 2], 0, 3]);
  // Node asks for the next room at once, also where it is not read into for now.
  expect(filler.room().length).toBe(2);
  filler.lend(lendable(4));
  expect(arrive(3)).toBe(true);
  expect([seen[FILLED], seen[READS]]).toEqual([1, 4]);
});

test('where the consumer keeps up, the same memory is used again and again, and the rest stays untouched', () => {
  const memories = [1, 2, 3].map((number) => lendable(number));
  const { filler, whole, arrive } = open(2, memories);
  for (let frame = 1; frame <= 50; frame++) {
    expect(arrive(frame, frame)).toBe(true);
    const number = whole.at(-1)!;
    filler.lend(memories[number - 1]!);
  }
  expect([...new Set(whole)]).toEqual([3, 2]);
  expect([...new Uint8Array(memories[0]!.memory)].every((byte) => byte === 0)).toBe(true);
});

test('whatever the pieces and the pace, the frames are those that were sent', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const upTo = (most: number): number => 1 + Math.floor(random() * most);
    const frameBytes = upTo(40);
    const sent = Uint8Array.from({ length: upTo(600) }, () => Math.floor(random() * 256));
    const memories = [1, 2, 3].map((number) => lendable(number, frameBytes));
    const { filler, whole, arrive, seen } = open(frameBytes, memories);
    const taken: number[] = [];
    let isReading = true;
    let read = 0;
    const pace = random();
    while (read < sent.length || whole.length > 0) {
      if (isReading && read < sent.length && random() < pace) {
        const part = sent.subarray(read, read + Math.min(upTo(2 * frameBytes), filler.room().length));
        isReading = arrive(...part);
        read += part.length;
        continue;
      }
      const number = whole.shift();
      if (number === undefined) continue;
      const { memory } = memories[number - 1]!;
      taken.push(...new Uint8Array(memory, 0, frameBytes));
      filler.lend({ number, memory });
      isReading = true;
    }
    expect(taken).toEqual([...sent.subarray(0, sent.length - (sent.length % frameBytes))]);
    expect(seen[FILLED]).toBe(sent.length % frameBytes);
  }
});
