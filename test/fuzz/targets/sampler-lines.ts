import { SamplingLog } from '../../../src/video/clock/sampling-log.ts';
import { must, type Target } from '../engine/target.ts';

const FRAMES_PER_SECOND = 2;

/** What the sampler's filter prints of each frame, in whose numbers the times of a file are. */
export const target: Target = {
  covers: ['sampling-log.ts', 'sampling-filter.ts', 'media-clock.ts', 'second-tally.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: [
    'frame:',
    ' pts:',
    ' pts_time:',
    '\nframe:1    pts:',
    '-',
    '99999999999999999',
    '9007199254740993',
    'nan',
    'n=1\n',
  ],
  allowance: { fixedMs: 250, msPerKib: 2 },
  check: (input) => {
    const lines = input.toString().split(/\r?\n|\r/);
    const log = new SamplingLog({
      startMicros: 0,
      frameMicros: 40_000,
      maxGapMicros: 3_600_000_000,
      framesPerSecond: FRAMES_PER_SECOND,
    });
    const read = lines.filter((line) => log.read(line)).length;
    log.end();
    must(log.decoded === read, 'a frame is not the one line that is printed of it');
    let [last, lastIndex, samples] = [0, -1, 0];
    for (let note = log.take(); note !== null; note = log.take()) {
      must(Number.isFinite(note.t) && note.t >= last, `the time goes from ${last} to ${note.t}`);
      must(note.index > lastIndex && note.index < log.decoded, 'a frame comes twice, or was never decoded');
      [last, lastIndex, samples] = [note.t, note.index, samples + Number(note.isPicked)];
    }
    must(
      samples === 0 || samples <= (last - log.startSeconds) * FRAMES_PER_SECOND + 2,
      `${samples} samples within ${last} s`,
    );
    must(Number.isFinite(log.endSeconds) && log.endSeconds >= last, `it ends at ${log.endSeconds}, before ${last}`);
    const counted = log.perSecond.reduce((sum, count) => sum + count, 0);
    must(counted === log.decoded, `${counted} of ${log.decoded} frames are counted`);
  },
};
