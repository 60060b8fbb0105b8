import { describe, expect, test } from '@jest/globals';
import { MediaClock, type ClockSettings } from '../../../src/video/clock/media-clock.ts';
import { SecondTally } from '../../../src/video/clock/second-tally.ts';
import { seededRandom } from '../../chaos/random.ts';
import { randomTimeline, type RandomTimeline } from '../../harness/random-timelines.ts';

/** Times in milliseconds are easier to read. */
const MS = 1_000;
const HOUR = 3_600_000;
type Raws = readonly (number | null)[];

interface Settings {
  readonly start?: number;
  readonly frame?: number;
  readonly maxGap?: number;
}

function clockOf({ start = 0, frame = 40, maxGap = HOUR }: Settings = {}): MediaClock {
  const settings: ClockSettings = { startMicros: start * MS, frameMicros: frame * MS, maxGapMicros: maxGap * MS };
  return new MediaClock(settings);
}

function timesOf(raws: Raws, settings: Settings = {}): number[] {
  const clock = clockOf(settings);
  const micros = raws.flatMap((raw) => clock.push(raw === null ? null : raw * MS));
  return [...micros, ...clock.end()].map((time) => time / MS);
}

/** Frames that follow one another at the usual distance. */
const run = (from: number, count: number, step = 40): number[] =>
  Array.from({ length: count }, (_, i) => from + i * step);
const even = (count: number, step = 40): number[] => run(0, count, step);

describe('a clock that makes sense is followed', () => {
  test.each<[string, Raws, Settings]>([
    ['an even rate', even(100), {}],
    ['a rate far from the nominal one', even(100, 100), { frame: 1 }],
    ['a much slower nominal rate, as an average over silences is', even(100), { frame: 10_000 }],
    ['time-lapse, a frame in 10 s', even(30, 10_000), { frame: 10_000 }],
    ['time-lapse whose nominal rate is that of playing', even(30, 10_000), {}],
    ['a variable rate with silences', [0, 40, 80, 9_000, 9_040, 9_080, 60_000, 60_500, 61_000, 200_000, 200_033], {}],
    ['a single frame', [0], {}],
    ['a last frame behind a silence', [0, 40, 80, 30_000], {}],
    ['sound before the first picture', run(700_000, 5), {}],
    ['a file that begins at seven hours', run(7 * HOUR, 50), { start: 7 * HOUR }],
    ['a silence of nearly an hour', [0, 40, 80, ...run(HOUR - 100, 3)], {}],
  ])('%s', (_name, raws, settings) => {
    const start = settings.start ?? 0;
    expect(timesOf(raws, settings)).toEqual(raws.map((raw) => (raw ?? 0) - start));
  });

  test('what is close is sure at once; a silence is sure two frames later', () => {
    const clock = clockOf();
    expect([0, 250, 9_000, 9_040].map((raw) => clock.push(raw * MS))).toEqual([[0], [250 * MS], [], []]);
    expect(clock.endMicros).toBeLessThan(9_000 * MS);
    expect(clock.push(9_080 * MS)).toEqual([9_000 * MS, 9_040 * MS, 9_080 * MS]);
    expect(clock.lastMicros).toBe(9_080 * MS);
    expect(clock.endMicros).toBeGreaterThan(9_080 * MS);
    expect(clock.end()).toEqual([]);
  });

  test('silence with duplicates, or slightly out of order, behind it stays as long as it is', () => {
    expect(timesOf([0, 40, 60_000, 60_000, 60_040, 60_080])).toEqual([0, 40, 60_000, 60_040, 60_040, 60_080]);
    expect(timesOf([0, 40, 60_010, 60_000, 60_050, 60_090]).slice(2, 3)).toEqual([60_010]);
    expect(timesOf([0, 40, 60_000, null, 60_080, 60_120])).toEqual([0, 40, 60_000, 60_040, 60_080, 60_120]);
  });
});

describe('wrong times of single frames are ignored', () => {
  const raws: Raws = even(40);
  test.each<[string, number, Raws]>([
    ['one far ahead', 20, [900_000]],
    ['one ahead, not far', 20, [1_100]],
    ['one behind', 20, [-900_000]],
    ['one behind, not far', 20, [300]],
    ['one beyond every silence', 20, [10_006_000]],
    ['two ahead in order', 20, [900_000, 900_040]],
    ['two ahead, not in order', 20, [900_000, 500_000]],
    ['the same one twice', 20, [900_000, 900_000]],
    ['two behind in order', 20, [-900_000, -899_960]],
    ['two behind, far from each other', 20, [-900_000, -500_000]],
    ['two beyond every silence', 20, [10_006_000, 10_006_040]],
    ['a missing one', 20, [null]],
    ['ten missing ones', 20, Array.from({ length: 10 }, () => null)],
    ['the first one ahead', 0, [900_000]],
    ['the first one beyond every silence', 0, [10_006_000]],
    ['the first one behind', 0, [-900_000]],
    ['the first one missing', 0, [null]],
    ['the last one behind', 39, [-900_000]],
    ['the last one beyond every silence', 39, [10_006_000]],
    ['the last one missing', 39, [null]],
  ])('%s', (_name, at, wrong) => {
    const times = timesOf(raws.toSpliced(at, wrong.length, ...wrong));
    for (const [i, time] of times.entries()) expect(Math.abs(time - i * 40)).toBeLessThanOrEqual(80);
    expect(times.slice(at + 6)).toEqual(raws.slice(at + 6));
  });

  test('an outlier just behind a silence, or instead of its end', () => {
    const silent = [...even(5), ...run(60_000, 10)];
    for (const at of [5, 6, 7]) {
      for (const wrong of [900_000, -900_000]) {
        const times = timesOf(silent.toSpliced(at, 1, wrong));
        expect(times.slice(8)).toEqual(silent.slice(8));
      }
    }
  });

  test('many small outliers do not add up', () => {
    const jagged = even(1_000).map((raw, i) => raw + (i % 20 === 7 ? 190 : 0));
    for (const [i, time] of timesOf(jagged).entries()) expect(Math.abs(time - i * 40)).toBeLessThanOrEqual(400);
  });

  test('times a little out of order', () => {
    const random = seededRandom(7);
    const jittery = even(1_000).map((raw) => raw + Math.floor(random() * 120));
    for (const [i, time] of timesOf(jittery).entries()) expect(Math.abs(time - i * 40)).toBeLessThanOrEqual(250);
  });
});

describe('where the clock loses its way, time goes on without a hole', () => {
  test.each<[string, Raws]>([
    ['a restart at 0', [...even(50), ...even(50)]],
    ['a restart, often', Array.from({ length: 10 }, () => even(20)).flat()],
    ['a step back of half a second: players show the overlap again', [...even(50), ...run(1_500, 50)]],
    ['a jump of two hours', [...even(50), ...run(2 * HOUR, 50)]],
    ['33 bits that wrap', [...run(3_000_000, 18), ...run(-92_443_000, 40)].map((raw) => raw - 3_000_000)],
    ['a clock that stands', [...even(50), ...Array.from({ length: 100 }, () => 1_960)]],
    ['a clock that stands from the first frame on', Array.from({ length: 100 }, () => 0)],
    [
      'one that stands and goes on from there',
      [...even(50), ...Array.from({ length: 100 }, () => 1_960), ...run(2_000, 50)],
    ],
    ['one that stands and catches up', [...even(50), ...Array.from({ length: 100 }, () => 1_960), ...run(6_000, 50)]],
    ['one that goes round in a small circle', Array.from({ length: 200 }, (_, i) => (i % 5) * 40)],
    ['no times at all', Array.from({ length: 100 }, () => null)],
    ['steadily backwards', run(0, 200, -40)],
    ['backwards by groups', Array.from({ length: 10 }, (_, i) => run(i * -1_000, 25)).flat()],
    ['two clocks in turn, one far ahead', [...even(100).flatMap((raw) => [raw * 2, 1_000_000 + raw * 2]), 8_000]],
    ['two clocks in turn, one far behind', even(100).flatMap((raw) => [raw * 2, -1_000_000 + raw * 2])],
    ['two clocks in turn, close to each other', even(100).flatMap((raw) => [raw * 2, 200 + raw * 2])],
    ['every other time missing', even(100).map((raw, i) => (i % 2 === 0 ? raw : null))],
    ['hours that mean nothing', Array.from({ length: 100 }, (_, i) => ((i * 7_919) % 101) * 5 * HOUR)],
    ['numbers too large to be counted with', Array.from({ length: 100 }, (_, i) => 1e17 + i * 1e16)],
  ])('%s', (_name, raws) => {
    const times = timesOf(raws);
    for (const [i, time] of times.entries()) expect(Math.abs(time - i * 40)).toBeLessThanOrEqual(320);
  });

  test('8 s are a silence where 30 s are a jump', () => {
    const raws = [...even(50), ...run(10_000, 50)];
    expect(timesOf(raws, { maxGap: 10_000 })).toEqual(raws);
    expect(timesOf([...even(50), ...run(32_000, 50)], { maxGap: 10_000 })).toEqual(even(100));
  });

  test('a nominal rate that is far off is not what a clock that stands goes by', () => {
    for (const frame of [1, 4, 1_000, 10_000]) {
      const times = timesOf([...even(50), ...Array.from({ length: 100 }, () => 1_960)], { frame });
      expect(times[149]).toBeGreaterThan(5_700);
      expect(times[149]).toBeLessThan(6_300);
    }
  });
});

describe('the end of a file', () => {
  const timesUntil = (raws: readonly number[], promised: number): number[] => {
    const clock = new MediaClock({
      startMicros: 0,
      frameMicros: 40 * MS,
      maxGapMicros: HOUR * MS,
      promisedMicros: promised,
    });
    return [...raws.flatMap((raw) => clock.push(raw)), ...clock.end()];
  };
  const micros = even(10, 40 * MS);

  test('a last time, or two, far beyond the promised end is no silence; one before it is', () => {
    expect(timesUntil([...micros, 900_000 * MS], 400 * MS)).toEqual(even(11, 40 * MS));
    expect(timesUntil([...micros, 900_000 * MS, 900_040 * MS], 400 * MS)).toEqual(even(12, 40 * MS));
    expect(timesUntil([...micros, 900_000 * MS], 900_040 * MS)).toEqual([...micros, 900_000 * MS]);
  });

  test('times that the file did not tell are counted', () => {
    const guesses = (raws: Raws): number => {
      const clock = clockOf();
      for (const raw of raws) clock.push(raw === null ? null : raw * MS);
      clock.end();
      return clock.guessed;
    };
    expect(guesses([...even(10), ...run(60_000, 10)])).toBe(0);
    expect(guesses([-5_000, 40, 80])).toBe(0);
    expect(guesses([0, 40, null, 120])).toBe(1);
    expect(guesses([0, 40, 900_000, 120, 160])).toBe(1);
    expect(guesses([0, 40, 40, 80])).toBe(1);
  });
});

/** Files with mistakes of one kind at a time, twelve frames apart, and a clock for each. */
const seeds = Array.from({ length: 400 }, (_, i) => i + 1);

function micros({ frames, ...settings }: RandomTimeline): number[] {
  const clock = new MediaClock(settings);
  return [...frames.flatMap(({ raw }) => clock.push(raw)), ...clock.end()];
}

describe('random timelines', () => {
  test('every frame has a time, and none goes back', () => {
    for (const seed of seeds) {
      const timeline = randomTimeline(seed);
      const times = micros(timeline);
      expect(times).toHaveLength(timeline.frames.length);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.every((time) => Number.isSafeInteger(time))).toBe(true);
    }
  });

  test('a frame has the time at which it was taken, but for some frames a mistake', () => {
    for (const seed of seeds) {
      const timeline = randomTimeline(seed);
      const { frames, frameMicros, mistakes, story } = timeline;
      // By how much the usual length of a frame is off, where a clock of variable rate stands.
      const tolerance = 2.5 * Math.max(1, mistakes) * Math.max(250_000, 5 * frameMicros);
      const wrong = micros(timeline).findIndex((time, i) => Math.abs(time - (frames[i]?.truth ?? 0)) > tolerance);
      expect({ seed, story, wrong }).toEqual({ seed, story, wrong: -1 });
    }
  });
});

describe('a tally of seconds', () => {
  test('counts what begins in each', () => {
    const tally = new SecondTally();
    for (const time of [0, 999_999, 1_000_000, 3_500_000]) tally.add(time);
    expect(tally.perSecond).toEqual([2, 1, 0, 1]);
  });

  test('is bounded, whatever it is given', () => {
    const tally = new SecondTally();
    for (const time of [Number.NaN, -1e30, Number.NEGATIVE_INFINITY]) tally.add(time);
    expect(tally.perSecond).toEqual([3]);
    for (const time of [1e30, Number.POSITIVE_INFINITY]) tally.add(time);
    expect(tally.perSecond.length).toBeLessThanOrEqual(30 * 86_400 + 1);
    expect(tally.perSecond.at(-1)).toBe(2);
  });
});
