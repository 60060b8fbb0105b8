import { expect, test } from '@jest/globals';
import { Scan } from '../../../../src/video/probe/packet-scan.ts';

const SUBJECT = {
  container: 'mpegts',
  sizeBytes: 1_000,
  startMicros: 0,
  maxGapMicros: 10_000_000,
  frameRate: 25,
  durationSeconds: null,
  inputOptions: [],
};

test('a time that no clock of whole microseconds holds is none', () => {
  const scan = new Scan(SUBJECT, { timeoutMs: 1, maxFrames: 100 });
  for (const line of [
    'video,0,0.0,0.0,0.04,10,0,K__',
    'video,0,1e308,0.04,0.04,10,10,K__',
    'video,0,0.08,0.08,9e17,10,20,K__',
  ]) {
    scan.read(line);
  }
  const { streams, latestSeconds } = scan.result();
  expect(latestSeconds).toBeCloseTo(0.08);
  expect(streams).toMatchObject([{ packets: 3, startSeconds: 0, isTimed: false }]);
  expect(streams[0]?.endSeconds).toBeCloseTo(0.12);
});
