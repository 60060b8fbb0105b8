import { expect, test } from '@jest/globals';
import { samplingFilter, samplingTimes } from '../../../src/video/clock/sampling-filter.ts';
import { SamplingLog } from '../../../src/video/clock/sampling-log.ts';
import { atDepth } from '../../harness/depth.ts';
import { FfmpegExpression } from '../../harness/ffmpeg-expression.ts';
import { randomTimeline } from '../../harness/random-timelines.ts';
import { runWithNotes } from '../../harness/run-with-notes.ts';

const RATES = [1.5, 0.1, 29.97, 240];

/** Gives frame N the N-th time of a table, or none. A tree, since expressions may not be deep. */
function tableOf(raws: readonly (number | null)[], from = 0): string {
  if (raws.length === 1) return String(raws[0] ?? 'NAN');
  const half = Math.ceil(raws.length / 2);
  return `if(lt(N,${from + half}),${tableOf(raws.slice(0, half), from)},${tableOf(raws.slice(half), from + half)})`;
}

const SEEDS = Array.from({ length: atDepth(4, 8) }, (_, i) => i + 1);

test.each(SEEDS)('ffmpeg samples as the clock does, timeline %i', async (seed) => {
  const framesPerSecond = RATES[seed % RATES.length] ?? 1;
  const timeline = { ...randomTimeline(seed), framesPerSecond };
  const raws = timeline.frames.map(({ raw }) => raw);
  const filter = samplingFilter(timeline);
  const words =
    '-hide_banner -nostdin -nostats -v repeat+level+info -fps_mode passthrough -c:v rawvideo -f framecrc pipe:1';
  const filters = `settb=1/1000000,setpts='${tableOf(raws)}',${filter},setpts=N`;
  const input = ['-f', 'lavfi', '-i', `nullsrc=s=16x16:r=25:d=${raws.length / 25}`];
  const { code, stdout, stderr, notes } = await runWithNotes('ffmpeg', [...input, '-vf', filters, ...words.split(' ')]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });

  const log = new SamplingLog(timeline);
  const said = notes.split('\n').filter((line) => log.read(line));
  log.end();
  const expression = new FfmpegExpression(samplingTimes(timeline));
  const expected = raws.map((raw, n) => expression.evaluate(n, raw === null ? Number.NaN : raw / 1e6));
  expect(said.map((line) => Number(/pts:(-?\d+)/.exec(line)?.[1]))).toEqual(expected);
  const through = expected.filter((value) => value % 2 !== 0).length;
  expect(
    String(stdout)
      .split('\n')
      .filter((line) => line.startsWith('0,')),
  ).toHaveLength(through);
  expect(log.decoded).toBe(raws.length);
  expect(log.waiting).toBe(through);
});
