import { Failure } from '../../../src/failure/failure.ts';
import { Scan } from '../../../src/video/probe/packet-scan.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const MAX_FRAMES = 20_000;
const MAX_STREAMS = 16;
/** As `SecondTally` counts at the most. */
const MOST_SECONDS = 30 * 86_400;

/** The packets of a file as ffprobe prints them: types, numbers of streams, times, sizes and places. */
export const target: Target = {
  covers: ['packet-scan.ts', 'stream-scan.ts', 'presentation-order.ts', 'media-clock.ts', 'second-tally.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: [
    'video',
    'audio',
    'N/A',
    ',',
    'video,0,',
    'video,1,',
    '-',
    'K__',
    '_D_',
    '1e9',
    '3600.5',
    '95443.717689',
    '\n',
  ],
  // A jump of the clock fills a table with up to thirty days of seconds, whatever the length of the line.
  allowance: { fixedMs: 250, msPerKib: 2 },
  check: (input) => {
    const lines = input.toString().split('\n');
    // ffprobe names no other stream than the file has, and files with more are refused before.
    const indices = new Set(lines.map((line) => line.split(',')[1]));
    if (indices.size > MAX_STREAMS) return;
    const subject = {
      container: 'mpegts',
      sizeBytes: 1_000,
      startMicros: 0,
      maxGapMicros: 10_000_000,
      frameRate: 25,
      durationSeconds: null,
      inputOptions: [],
    };
    const scan = new Scan(subject, { timeoutMs: 1, maxFrames: MAX_FRAMES });
    const outcome = resultOf(() => {
      for (const line of lines) scan.read(line);
    });
    if (outcome instanceof Failure) {
      must(outcome.code === 'VIDEO_TOO_LONG', `packets are refused with ${outcome.code}`);
      return;
    }
    const { streams, latestSeconds } = scan.result();
    must(latestSeconds >= 0, `the latest time is ${latestSeconds}`);
    for (const { packets, startSeconds, endSeconds, perSecond, isVideo } of streams) {
      must(Number.isFinite(startSeconds) && startSeconds >= 0, `a stream begins at ${startSeconds}`);
      must(Number.isFinite(endSeconds) && endSeconds >= 0, `a stream ends at ${endSeconds}`);
      must(packets === 0 || endSeconds >= startSeconds, `a stream ends at ${endSeconds}, before it begins`);
      must(perSecond.length <= MOST_SECONDS + 1, 'a table of seconds has no end');
      const counted = perSecond.reduce((sum, count) => sum + count, 0);
      must(!isVideo || counted === packets, `${counted} of ${packets} packets are counted`);
    }
  },
};
