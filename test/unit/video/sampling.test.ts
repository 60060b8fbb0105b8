import { describe, expect, test } from '@jest/globals';
import { noteOf, samplingTimes, type SamplingSettings } from '../../../src/video/clock/sampling-filter.ts';
import { SamplingLog, type CandidateNote } from '../../../src/video/clock/sampling-log.ts';
import { FfmpegExpression } from '../../harness/ffmpeg-expression.ts';
import { randomTimeline, type RandomTimeline } from '../../harness/random-timelines.ts';

const MS = 1_000;
const settings: SamplingSettings = { startMicros: 0, frameMicros: 40 * MS, maxGapMicros: 3.6e9, framesPerSecond: 2 };
const RATES = [0.1, 1.5, 29.97, 240];

function noted(log: SamplingLog): CandidateNote[] {
  const notes: CandidateNote[] = [];
  for (let note = log.take(); note !== null; note = log.take()) notes.push(note);
  return notes;
}

/** In place of twice the time of a frame that has none. */
const NO_TIME = 9e15;

/** As ffmpeg prints it. */
function noteLine(index: number, value: number): string {
  return `frame:${String(index).padEnd(4)} pts:${String(value).padEnd(7)} pts_time:${(value / 12_800).toPrecision(6)}`;
}

/** What the filter says of a frame, milliseconds. */
function say(log: SamplingLog, index: number, time: number | null, isThrough = true): void {
  const twice = time === null ? NO_TIME : 2 * time * MS;
  expect(log.read(noteLine(index, twice + (isThrough ? 1 : 0)))).toBe(true);
}

describe('what the filter says is read back', () => {
  test('times, and frames that have none', () => {
    const log = new SamplingLog(settings);
    say(log, 0, 0);
    say(log, 1, 40, false);
    say(log, 2, null, false);
    say(log, 3, 120, false);
    say(log, 4, 500);
    log.end();
    expect(noted(log)).toEqual([
      { index: 0, t: 0, isPicked: true, isTimeSure: true },
      { index: 4, t: 0.5, isPicked: true, isTimeSure: false },
    ]);
    expect({ decoded: log.decoded, perSecond: log.perSecond }).toEqual({ decoded: 5, perSecond: [5] });
  });

  test('a note is a time and whether the frame came through, also before zero', () => {
    expect([-3, -2, 0, 1, NO_TIME, NO_TIME + 1].map(noteOf)).toEqual([
      { micros: -2, isThrough: true },
      { micros: -1, isThrough: false },
      { micros: 0, isThrough: false },
      { micros: 0, isThrough: true },
      { micros: null, isThrough: false },
      { micros: null, isThrough: true },
    ]);
  });

  test('a time that no footage has is held to the farthest one, and stays one', () => {
    const times = new FfmpegExpression(samplingTimes(settings));
    const told = [0, 1e18, -1e18, Number.NaN].map((t, n) => noteOf(times.evaluate(n, t)));
    expect(told.map(({ micros }) => micros)).toEqual([0, 4.49e15, -4.49e15, null]);
    expect(told.every(({ micros }) => micros === null || Number.isSafeInteger(2 * micros + 1))).toBe(true);
  });

  test('other lines are not ours', () => {
    const log = new SamplingLog(settings);
    for (const line of [
      '',
      'n=1',
      '[info] 7.000000',
      'frame:1',
      'frame:0    pts:NOPTS   pts_time:NOPTS',
      ' frame:0 pts:1 pts_time:0',
    ]) {
      expect(log.read(line)).toBe(false);
    }
    expect({ decoded: log.decoded, waiting: log.waiting }).toEqual({ decoded: 0, waiting: 0 });
  });

  test('a filter that begins anew in the middle of the video does not begin the count of frames anew', () => {
    const log = new SamplingLog(settings);
    for (const [count, time] of [0, 40, 80, 120].entries()) say(log, count % 2, time, count % 2 === 0);
    log.end();
    expect(log.decoded).toBe(4);
    expect(noted(log)).toMatchObject([
      { index: 0, isPicked: true },
      { index: 2, isPicked: false },
    ]);
  });

  test('what waits at the end has its time then, and the end of the last frame counts', () => {
    const log = new SamplingLog(settings);
    say(log, 0, 2_000);
    say(log, 1, 30_000);
    expect(log.waiting).toBe(0);
    log.end();
    expect(noted(log).map(({ t }) => t)).toEqual([2, 30]);
    expect(log.startSeconds).toBe(2);
    expect(log.endSeconds).toBeCloseTo(30.04);
  });

  test('what was let through in doubt and is no sample is named as such', () => {
    const log = new SamplingLog(settings);
    for (const [index, time] of [0, 40, 900_000, 120, 160].entries()) say(log, index, time, time === 0 || time > 1_000);
    expect(noted(log)).toEqual([
      { index: 0, t: 0, isPicked: true, isTimeSure: true },
      { index: 2, t: 0.08, isPicked: false, isTimeSure: false },
    ]);
  });
});

interface Sampled {
  /** What ffmpeg would let through. */
  readonly through: readonly number[];
  readonly notes: readonly CandidateNote[];
  readonly log: SamplingLog;
}

/** The filter's own text, evaluated for each frame, and the log that reads what it prints. */
function sample(timeline: RandomTimeline, framesPerSecond: number): Sampled {
  const asked = { ...timeline, framesPerSecond };
  const expression = new FfmpegExpression(samplingTimes(asked));
  const log = new SamplingLog(asked);
  const through: number[] = [];
  for (const [index, { raw }] of timeline.frames.entries()) {
    const value = expression.evaluate(index, raw === null ? Number.NaN : raw / 1e6);
    if (value % 2 !== 0) through.push(index);
    log.read(noteLine(index, value));
  }
  log.end();
  return { through, notes: noted(log), log };
}

/** The times of all frames, as if each of them had been let through. */
function everyTime(timeline: RandomTimeline): number[] {
  const log = new SamplingLog({ ...timeline, framesPerSecond: 1 });
  for (const [index, { raw }] of timeline.frames.entries()) {
    log.read(noteLine(index, raw === null ? NO_TIME + 1 : 2 * raw + 1));
  }
  log.end();
  return noted(log).map(({ t }) => Math.round(t * 1e6));
}

const cases = Array.from({ length: 160 }, (_, seed) => ({
  seed,
  framesPerSecond: RATES[seed % RATES.length] ?? 1,
  timeline: randomTimeline(1_000 + seed),
}));

describe('random timelines', () => {
  test('the filter lets through what the clock picks, and little else', () => {
    for (const { seed, framesPerSecond, timeline } of cases) {
      const { through, notes } = sample(timeline, framesPerSecond);
      expect(notes.map(({ index }) => index)).toEqual(through);
      const times = everyTime(timeline);
      const slots = times.map((time) => Math.floor(((time - (times[0] ?? 0) + 1) * framesPerSecond) / 1e6));
      // They never go back.
      const due = slots.flatMap((slot, i) => (slot > (slots[i - 1] ?? -1) ? [i] : []));
      const picked = notes.filter(({ isPicked }) => isPicked).map(({ index }) => index);
      expect({ seed, picked }).toEqual({ seed, picked: due });
    }
  });

  test('samples come in order, begin with the first frame and reach the last one', () => {
    for (const { seed, framesPerSecond, timeline } of cases) {
      const { notes, log } = sample(timeline, framesPerSecond);
      const times = notes.filter(({ isPicked }) => isPicked).map(({ t }) => t);
      expect(notes[0]).toMatchObject({ index: 0, isPicked: true });
      expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0))).toBe(true);
      const left = log.endSeconds - (times.at(-1) ?? 0);
      expect({ seed, isNear: left <= 1 / framesPerSecond + (2 * timeline.frameMicros) / 1e6 + 1e-6 }).toEqual({
        seed,
        isNear: true,
      });
      expect(log.perSecond.reduce((sum, count) => sum + count, 0)).toBe(timeline.frames.length);
    }
  });

  test('no two samples lie further apart than a slot and the silence that the footage has there', () => {
    for (const { seed, framesPerSecond, timeline } of cases) {
      const { notes } = sample(timeline, framesPerSecond);
      const { frames, frameMicros, mistakes } = timeline;
      const samples = notes.filter(({ isPicked }) => isPicked);
      // How far the clock may be off where one stands whose rate varies.
      const off = mistakes * Math.max(250_000, 5 * frameMicros);
      const isFar = ({ index, t }: CandidateNote, i: number): boolean => {
        const before = samples[i - 1];
        if (before === undefined) return false;
        const truths = frames.slice(before.index, index + 1).map(({ truth }) => truth);
        const silence = Math.max(...truths.map((truth, k) => truth - (truths[k - 1] ?? truth)));
        return (t - before.t) * 1e6 > 1e6 / framesPerSecond + silence + 2 * frameMicros + off;
      };
      expect({ seed, far: samples.filter(isFar) }).toEqual({ seed, far: [] });
    }
  });
});
