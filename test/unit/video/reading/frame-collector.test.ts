import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { FrameCollector, type FrameSource } from '../../../../src/video/reading/frame-collector.ts';
import { createFramePool, type FramePool, type FrameSlot } from '../../../../src/video/frames/frame-pool.ts';
import { HandClock } from '../../../harness/hand-clock.ts';
import { seededRandom } from '../../../chaos/random.ts';

/** A socket as far as a collector knows one: it reads what `arrive` brings, in pieces of its own size, and asks for room before each. */
class ScriptedSocket extends EventEmitter {
  readonly #collector: FrameCollector;
  #room: Uint8Array;
  isReading = true;
  isDestroyed = false;

  constructor(collector: FrameCollector) {
    super();
    this.#collector = collector;
    this.#room = collector.room();
  }

  /** Gives how many of the bytes were read. */
  arrive(bytes: Uint8Array, most: number): number {
    if (!this.isReading || this.isDestroyed) return 0;
    const part = bytes.subarray(0, Math.min(most, this.#room.length));
    this.#room.set(part);
    this.isReading = this.#collector.filled(part.length);
    // Node asks for the next room at once, also where it is not read into for now.
    this.#room = this.#collector.room();
    if (this.#room.length === 0) throw new Error('the room is empty');
    return part.length;
  }

  resume(): this {
    this.isReading = true;
    return this;
  }

  destroy(): this {
    this.isDestroyed = true;
    return this;
  }
}

function open(frameBytes: number, pool: FramePool = createFramePool({ clock: new HandClock() })) {
  const frames = new FrameCollector(frameBytes, pool);
  const socket = new ScriptedSocket(frames);
  let changes = 0;
  frames.attach(socket as unknown as FrameSource);
  frames.follow(() => (changes += 1));
  return { frames, socket, pool, changes: () => changes };
}

const bytesOf = (slot: FrameSlot | null): number[] => [...(slot?.pixels ?? [])];

test('reading stops at two waiting frames and goes on when one is taken', () => {
  const { frames, socket } = open(4);
  expect(socket.arrive(Uint8Array.of(1, 1, 1, 1, 2, 2), 9)).toBe(4);
  expect(socket.arrive(Uint8Array.of(2, 2), 9)).toBe(2);
  expect([frames.waiting, frames.partialBytes, frames.full, socket.isReading]).toEqual([1, 2, false, true]);
  expect(socket.arrive(Uint8Array.of(2, 2, 3), 9)).toBe(2);
  expect([frames.waiting, frames.partialBytes, frames.full, socket.isReading]).toEqual([2, 0, true, false]);
  expect(bytesOf(frames.take())).toEqual([1, 1, 1, 1]);
  expect([frames.waiting, socket.isReading]).toEqual([1, true]);
});

test('whatever the pieces and the pace, the frames are those that were sent, and few are lent', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const upTo = (most: number): number => 1 + Math.floor(random() * most);
    const frameBytes = upTo(40);
    const sent = Uint8Array.from({ length: upTo(600) }, () => Math.floor(random() * 256));
    const { frames, socket, pool, changes } = open(frameBytes);
    const held: FrameSlot[] = [];
    const taken: number[] = [];
    let read = 0;
    let most = 0;
    const pace = random();
    while (read < sent.length || frames.waiting > 0) {
      if (random() < pace) read += socket.arrive(sent.subarray(read), upTo(2 * frameBytes));
      else {
        const slot = frames.take();
        if (slot !== null) held.push(slot);
      }
      while (held.length > 0 && random() < 0.5) {
        const slot = held.shift();
        taken.push(...bytesOf(slot ?? null));
        slot?.release();
      }
      most = Math.max(most, pool.stats().lent - held.length);
    }
    expect(most).toBeLessThanOrEqual(3);
    for (const slot of held) taken.push(...bytesOf(slot));
    const whole = sent.length - (sent.length % frameBytes);
    expect(taken).toEqual([...sent.subarray(0, whole)]);
    expect(frames.partialBytes).toBe(sent.length - whole);
    expect(changes()).toBeGreaterThan(0);
    await frames[Symbol.asyncDispose]();
    for (const { release } of held) release();
    expect(pool.stats().lent).toBe(0);
  }
});

test('memory is used again and again, however long the video is', () => {
  const { frames, socket, pool } = open(10);
  const memories = new Set<SharedArrayBuffer>();
  for (let frame = 0; frame < 1000; frame++) {
    for (let read = 0; read < 10;) read += socket.arrive(new Uint8Array(10 - read), 7);
    const slot = frames.take();
    if (slot !== null) memories.add(slot.pixels.buffer);
    slot?.release();
  }
  expect(memories.size).toBeLessThanOrEqual(2);
  expect(pool.stats().lent).toBeLessThanOrEqual(1);
});

test('what nobody took is given back, when nothing more can be read into it', async () => {
  const { frames, socket, pool } = open(4);
  for (const _ of [1, 2]) socket.arrive(Uint8Array.of(1, 2, 3, 4), 9);
  const taken = frames.take();
  socket.arrive(Uint8Array.of(5), 9);
  expect(pool.stats().lent).toBe(3);
  const releasedBefore: boolean[] = [];
  socket.destroy = () => {
    releasedBefore.push(pool.stats().lent < 3);
    return socket;
  };
  await frames[Symbol.asyncDispose]();
  expect(releasedBefore).toEqual([false]);
  expect(pool.stats().lent).toBe(1);
  // Node may ask once more.
  expect(frames.filled(1)).toBe(false);
  expect(frames.room().length).toBeGreaterThan(0);
  expect(pool.stats().lent).toBe(1);
  taken?.release();
  expect(pool.stats().lent).toBe(0);
});

test('a socket that has closed before anybody follows it has ended', () => {
  const frames = new FrameCollector(4, createFramePool());
  const socket = new ScriptedSocket(frames);
  frames.attach(socket as unknown as FrameSource);
  socket.emit('close');
  let changes = 0;
  frames.follow(() => (changes += 1));
  expect([frames.ended, changes]).toEqual([true, 1]);
});

test.each([true, false])(
  'memory that cannot be had ends the reading and is told, also to who follows later (%s)',
  async (later) => {
    const refused = new RangeError('no memory');
    const pool = createFramePool({ clock: new HandClock() });
    let left = later ? 0 : 2;
    const take = (bytes: number): FrameSlot => {
      left -= 1;
      if (left < 0) throw refused;
      return pool.take(bytes);
    };
    const frames = new FrameCollector(4, { take, stats: () => pool.stats() });
    const socket = new ScriptedSocket(frames);
    let changes = 0;
    frames.attach(socket as unknown as FrameSource);
    const follow = (): void => frames.follow(() => (changes += 1));
    if (!later) {
      follow();
      expect([frames.failure, socket.arrive(Uint8Array.of(1, 2, 3, 4), 9)]).toEqual([null, 4]);
      expect(frames.failure).toBeNull();
      frames.take()?.release();
      expect(socket.arrive(Uint8Array.of(5, 6, 7, 8), 9)).toBe(4);
      expect(changes).toBeGreaterThan(2);
    } else {
      // Something may come before anybody follows: it is read to nowhere, once.
      expect(socket.arrive(Uint8Array.of(1, 2), 9)).toBe(1);
      expect(socket.isReading).toBe(false);
      follow();
    }
    expect(frames.failure).toMatchObject({ code: 'HOST_OUT_OF_MEMORY', cause: refused });
    expect(socket.isDestroyed).toBe(true);
    expect(frames.room().length).toBeGreaterThan(0);
    expect([frames.filled(1), left]).toEqual([false, -1]);
    await frames[Symbol.asyncDispose]();
    expect(pool.stats().lent).toBe(0);
  },
);
