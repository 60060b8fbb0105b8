import { expect, test } from '@jest/globals';
import { hostFigures } from '../../bench/host.ts';
import { scaleFigures } from '../../bench/scale.ts';

const RUN = {
  frames: 100,
  wallMs: 4_000,
  cpuMs: 1_200,
  mainThreadCpuMs: 300,
  deviceBusy: 0.5,
  deviceMsPerFrame: 20,
  deviceRunsPerFrame: 1.5,
  answeredByOwn: 1,
  itemsPerRun: {},
  peakMiB: 300,
};

test('a host of so many cores feeds a device when decoding and its own work keep up with it', () => {
  expect(hostFigures(RUN, 28)).toMatchObject({
    framesPerSecond: 25,
    hostMs: 12,
    decoderShare: 0.7,
    framesPerSecondPerCore: 25,
    deviceFramesPerSecond: 50,
    coresToFeedTheDevice: 2,
  });
});

test('what videos at once cost is told for each sampled frame', () => {
  const run = { frames: 200, wallMs: 4_000, cpuMs: 6_000, decoderCpuMs: 1_000, peakMiB: 250.4 };
  expect(scaleFigures(run)).toEqual({
    framesPerSecond: 50,
    cpuMsPerFrame: 30,
    decoderMsPerFrame: 5,
    coresBusy: 1.5,
    peakMiB: 250,
  });
});
