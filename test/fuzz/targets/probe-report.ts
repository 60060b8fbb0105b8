import { Failure } from '../../../src/failure/failure.ts';
import { chooseStream, isPicture } from '../../../src/video/probe/choose-stream.ts';
import {
  displayGeometry,
  displaySize,
  orientationOf,
  orientationOfTag,
  UPRIGHT,
} from '../../../src/video/probe/display-geometry.ts';
import { numberOf, positive, probeReport, ratioOf, type ProbedStream } from '../../../src/video/probe/probe-report.ts';
import { doubtOf, headerLengthOf, promiseOf, rateOfPackets } from '../../../src/video/probe/promised-length.ts';
import { checkLength, checkPicture, type VideoLimits } from '../../../src/video/probe/video-limits.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const LIMITS: VideoLimits = {
  maxDurationSeconds: 14_400,
  maxPixels: 33_177_600,
  maxFrameRate: 240,
  maxFrames: 1_000_000,
  maxStreams: 100,
  timeoutMs: 1,
};

/** What ffprobe prints of a file: its numbers and texts are those of the file. */
export const target: Target = {
  covers: ['probe-report.ts', 'choose-stream.ts', 'display-geometry.ts', 'promised-length.ts', 'video-limits.ts'],
  maxBytes: 1 << 20,
  form: 'json',
  words: [
    'displaymatrix',
    '00000000:            0       65536           0\n00000001:       -65536           0           0\n',
    '1/0',
    '0/0',
    '30000/1001',
    '16:9',
    '00:00:02.500000000',
    'DURATION',
    'DURATION-eng',
    'rotate',
    'matroska,webm',
    'mov,mp4,m4a,3gp,3g2,mj2',
    'avi',
    'flv',
    'mpegts',
    'attached_pic',
    'default',
    'unknown',
    'N/A',
  ],
  check: (input) => {
    let json: unknown;
    try {
      json = JSON.parse(input.toString());
    } catch {
      return;
    }
    const { data: report } = probeReport.safeParse(json);
    if (report?.format === undefined) return;
    const whole = { ...report, format: report.format };
    for (const matrix of matricesOf(report.streams)) checkOrientation(matrix);
    const candidates = report.streams.map((stream) => ({
      ...stream,
      width: stream.width ?? 0,
      height: stream.height ?? 0,
      frames: positive(numberOf(stream.nb_frames)),
      disposition: stream.disposition ?? {},
    }));
    const chosen = chooseStream(candidates);
    must((chosen === null) === candidates.every(isPicture), 'a stream is not chosen though there is one');
    must(
      chooseStream(candidates.toReversed())?.index === chosen?.index || hasTwins(candidates),
      'the choice hangs on the order',
    );
    if (chosen === null) return;
    const header = headerLengthOf(whole, chosen);
    const doubt = doubtOf(header, LIMITS);
    const rate = rateOfPackets(header, LIMITS);
    must(rate === null || (rate > 0 && rate <= LIMITS.maxFrameRate), `the packets are followed at a rate of ${rate}`);
    if (doubt === null) checkPromise(header);
    checkGeometry(chosen);
  },
};

/** What a header that is not in doubt promises is finite, or refused. */
function checkPromise(header: ReturnType<typeof headerLengthOf>): void {
  const promise = promiseOf(header, null, LIMITS);
  if (resultOf(() => checkLength(promise, LIMITS, {})) instanceof Failure) return;
  const { durationSeconds, frameRate, frames } = promise;
  must(durationSeconds >= 0 && durationSeconds <= LIMITS.maxDurationSeconds, `a length of ${durationSeconds} s passes`);
  must(frameRate > 0 && frameRate <= LIMITS.maxFrameRate, `a frame rate of ${frameRate} passes`);
  must(frames >= 0 && frames <= LIMITS.maxFrames, `${frames} frames pass`);
}

/** Whatever is not refused has whole sides within the limit, before it is turned and after. */
function checkGeometry(stream: ProbedStream & { readonly width: number; readonly height: number }): void {
  if (resultOf(() => checkPicture(stream, LIMITS, {})) instanceof Failure) return;
  const matrices = [...matricesOf([stream])];
  const told = matrices.map(orientationOf).find((orientation) => orientation !== null);
  const orientation = told ?? orientationOfTag(stream.tags?.['rotate']) ?? UPRIGHT;
  const geometry = displayGeometry(stream, ratioOf(stream.sample_aspect_ratio), orientation);
  const shown = displaySize(geometry);
  if (resultOf(() => checkPicture(shown, LIMITS, {})) instanceof Failure) return;
  must(
    Number.isSafeInteger(shown.width) && Number.isSafeInteger(shown.height),
    `a side of ${shown.width}x${shown.height}`,
  );
  must(shown.width >= 1 && shown.height >= 1, 'a picture without a side passes');
  must(geometry.squareWidth >= stream.width && geometry.squareHeight >= stream.height, 'detail of the picture is lost');
}

function checkOrientation(matrix: string): void {
  const orientation = orientationOf(matrix);
  if (orientation === null) return;
  must([0, 90, 180, 270].includes(orientation.turn), `a turn by ${orientation.turn} degrees`);
}

function matricesOf(streams: readonly ProbedStream[]): readonly string[] {
  return streams.flatMap(({ side_data_list: list }) =>
    (list ?? []).flatMap(({ displaymatrix }) => displaymatrix ?? []),
  );
}

function hasTwins(streams: readonly ProbedStream[]): boolean {
  return new Set(streams.map(({ index }) => index)).size < streams.length;
}
