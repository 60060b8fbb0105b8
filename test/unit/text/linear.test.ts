import { describe, expect, test } from '@jest/globals';
import { outsideText } from '../../../src/text/outside-text.ts';
import { scrub } from '../../../src/text/scrub.ts';
import { visible } from '../../../src/text/visible.ts';
import { pick, seededRandom } from '../../chaos/random.ts';
import { atDepth } from '../../harness/depth.ts';
import { adversaries, PIECES } from './adversarial-texts.ts';

/** Sixteen texts of one length, against one text of sixteen times the length: a rule that reads again takes sixteen times as long for it. */
const SMALL = 2_048;
const COUNT = 16;
const MOST_TIMES = 4;
/** Some systems count the time of a thread in steps of 4 ms. */
const LEAST_MS = 8;
const MIB = 1_048_576;
/** Fifty times what a MiB takes on a slow core; a quadratic rule needs hours. */
const MIB_LIMIT_MS = 20_000;

/** Milliseconds of the processor in this thread: what else the machine does at the time is not counted. */
function bestOf(rounds: number, work: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const started = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(started);
    best = Math.min(best, (user + system) / 1_000);
  }
  return best;
}

/** How many times as long the large text takes, as the best of a few looks: a collection of garbage only adds to a time. */
function growth(text: (length: number) => string): number {
  const [small, large] = [text(SMALL), text(SMALL * COUNT)];
  const manySmall = (): void => {
    for (let round = 0; round < COUNT; round += 1) scrub(small);
  };
  let least = Infinity;
  for (let look = 0; look < 5 && least > MOST_TIMES; look += 1) {
    const one = bestOf(1, () => scrub(large));
    // So short a time is no growth, whatever the small ones take.
    const many = one <= MOST_TIMES * LEAST_MS ? LEAST_MS : Math.max(LEAST_MS, bestOf(1, manySmall));
    least = Math.min(least, one / many);
  }
  return least;
}

describe('scrubbing takes time in proportion to the length', () => {
  test('of every adversarial text', () => {
    const slow = adversaries().flatMap(({ name, text }) => {
      const times = growth(text);
      return times > MOST_TIMES ? [`${name}: ${times.toFixed(0)} times`] : [];
    });
    expect(slow).toEqual([]);
  }, 180_000);

  test('of 1 MiB of some pieces and a part of it of each, alone and in a list', () => {
    const [each, part] = [atDepth(24, 8), atDepth(16, 8)];
    const texts = PIECES.map((piece, index) =>
      piece.repeat(Math.ceil((index % each === 0 ? MIB : MIB / part) / piece.length)),
    );
    const slow = texts.flatMap((text) =>
      [text, `"password":[${text}`].filter((whole) => bestOf(1, () => scrub(whole)) > MIB_LIMIT_MS),
    );
    expect(slow.map((text) => text.slice(0, 40))).toEqual([]);
  }, 180_000);

  test('of pieces in any order, up to 1 MiB', () => {
    for (const [round, length] of [16, 100, 1_000, 10_000, 100_000, MIB].entries()) {
      const random = seededRandom(20_261_128 + round);
      const parts: string[] = [];
      const choices = PIECES.map((piece) => [piece, 1] as const);
      for (let at = 0; at < length; at += parts.at(-1)!.length) parts.push(pick(random, choices));
      const text = parts.join('');
      expect(bestOf(1, () => scrub(text))).toBeLessThan(MIB_LIMIT_MS);
    }
  }, 120_000);
});

test('a field of any length costs the same: what is not shown is not read', () => {
  const text = 'password="a://b:'.repeat(MIB);
  outsideText(text);
  expect(bestOf(3, () => visible(outsideText(text)))).toBeLessThan(200);
});
