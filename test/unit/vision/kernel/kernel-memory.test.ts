import { expect, test } from '@jest/globals';
import { KernelMemory } from '../../../../src/vision/kernel/kernel-memory.ts';
import type { ModuleMemory } from '../../../../src/vision/kernel/kernel-exports.ts';

const PAGE = 65_536;

/** What TypeScript's library for programs without a browser does not know. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => ModuleMemory;
  };
};

const memoryOf = (maximum: number): KernelMemory =>
  new KernelMemory(new WebAssembly.Memory({ initial: 1, maximum }), 1024);

test('pieces lie one behind the other, at multiples of a vector', () => {
  const memory = memoryOf(2);
  const places = [5, 16, 1].map((bytes) => memory.take(bytes));
  expect(places).toEqual([1024, 1040, 1056]);
  expect(memory.size).toBe(PAGE);
  memory.take(PAGE);
  expect(memory.size).toBe(2 * PAGE);
});

test('a room keeps its place until it needs more, and then leaves it to nobody', () => {
  const memory = memoryOf(2);
  const [first, second] = [memory.room(), memory.room()];
  const [one, other] = [first(100), second(100)];
  expect([first(50), first(100), second(0)]).toEqual([one, one, other]);
  expect(first(101)).toBeGreaterThanOrEqual(other + 100);
});

test('where there is no more memory rooms stay whole and apart, and what fits is still given', () => {
  const memory = memoryOf(3);
  const [first, second] = [memory.room(), memory.room()];
  const [one, other] = [first(1000), second(1000)];
  for (const _ of [1, 2]) expect(() => first(10_000_000)).toThrow(RangeError);
  expect(() => first(9_000_000)).toThrow(RangeError);
  expect([first(1000), second(1000), memory.size]).toEqual([one, other, PAGE]);
  const larger = first(20_000);
  expect(larger).toBeGreaterThanOrEqual(other + 1000);
  expect(second(70_000)).toBeGreaterThanOrEqual(larger + 20_000);
  expect(memory.size).toBeLessThanOrEqual(3 * PAGE);
});
