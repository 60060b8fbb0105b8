import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { preparePack } from '../../src/preparation/prepare-pack.ts';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { rounded } from './figures.ts';
import { answerOf } from './forked.ts';
import { deviceMs, type RunKind, type SimulatedGpu } from './host/device-times.ts';
import type { HostOrder, HostRun } from './host/host-run.ts';
import { recordDecoding, replayDecoder, type RecordedDecoding } from './host/replayed-decoder.ts';
import { thisMachine } from './machine.ts';
import { fullHdOf, streetFootage } from './street-footage.ts';

const FRAME_BYTES = 1920 * 1080 * 3;
const KINDS: readonly RunKind[] = ['detection', 'ageGender', 'orientation', 'action'];
const ROWS = [1, 2, 4, 8] as const;
const VIDEOS = 4;

/**
 * The worker's host side for 1080p footage, with models that answer what they answered once, after the time that a GPU would take:
 * prepared graphs in batches as on CUDA, four videos at once. Frames were decoded before: they come from memory, each after the time in
 * which a core decodes one, so that four videos are four cores of decoders beside the worker's own. Throws where the street pack's files
 * are not on this machine.
 */
export async function benchHost(): Promise<object> {
  const street = await streetFootage();
  if (street === null) throw new Error('the files of the street pack are not on this machine');
  const folder = await mkdtemp(join(tmpdir(), 'bench-host-'));
  try {
    console.error('the street clip at 1080p');
    const video = await fullHdOf(street.clip);
    const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
    console.error('preparing the pack, and recording what models and decoder answer');
    const pack = (await preparePack(street.pack, join(folder, 'prepared'))).dir;
    const common = { pack, video, recording: join(folder, 'rows') };
    const recorded = await measure({ ...common, ffmpeg: tools.ffmpeg, videos: 1, gpu: null });
    const decoding = await recordDecoding(tools, video, folder);
    const decodeMs = (decoding.cpuSeconds * 1000) / recorded.frames;
    const play = (gpu: SimulatedGpu, pauseMs: number) => replay(common, gpu, decoding, pauseMs, decodeMs);
    const a10g = await play('a10g', decodeMs);
    const h100 = await play('h100', 0);
    return {
      machine: thisMachine(),
      footage: { frames: recorded.frames, decodeMsPerFrame: rounded(decodeMs) },
      deviceMs: { a10g: table('a10g'), h100: table('h100') },
      'A10G, a core of decoder for each of four videos': a10g,
      'H100, frames from memory as fast as they are taken': h100,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function replay(
  common: Pick<HostOrder, 'pack' | 'video' | 'recording'>,
  gpu: SimulatedGpu,
  decoding: RecordedDecoding,
  pauseMs: number,
  decodeMs: number,
): Promise<object> {
  const ffmpeg = await replayDecoder(decoding, FRAME_BYTES, pauseMs);
  const run = await measure({ ...common, ffmpeg, videos: VIDEOS, gpu });
  const figures = hostFigures(run, decodeMs);
  console.error(gpu, figures);
  return figures;
}

/** What a run says of the host: milliseconds of the processor are per sampled frame. */
export function hostFigures(run: HostRun, decodeMs: number): Readonly<Record<string, unknown>> {
  const hostMs = run.cpuMs / run.frames;
  const deviceFramesPerSecond = 1000 / run.deviceMsPerFrame;
  return {
    framesPerSecond: rounded((run.frames * 1000) / run.wallMs),
    hostMs: rounded(hostMs),
    mainThreadMs: rounded(run.mainThreadCpuMs / run.frames),
    decodeMs: rounded(decodeMs),
    decoderShare: rounded(decodeMs / (decodeMs + hostMs)),
    framesPerSecondPerCore: rounded(1000 / (decodeMs + hostMs)),
    framesPerSecondPerCoreWithoutDecoding: rounded(1000 / hostMs),
    deviceBusy: rounded(run.deviceBusy),
    deviceMs: rounded(run.deviceMsPerFrame),
    deviceRuns: rounded(run.deviceRunsPerFrame),
    deviceFramesPerSecond: rounded(deviceFramesPerSecond),
    /** Computed: the processor time of as many frames as the device does in a second. */
    coresToFeedTheDevice: rounded((deviceFramesPerSecond * (decodeMs + hostMs)) / 1000),
    itemsPerRun: run.itemsPerRun,
    answeredByOwn: rounded(run.answeredByOwn),
  };
}

function table(gpu: SimulatedGpu): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(KINDS.map((kind) => [kind, ROWS.map((rows) => rounded(deviceMs(gpu, kind, rows)))]));
}

async function measure(order: HostOrder): Promise<HostRun> {
  const simulated = pathToFileURL(join(import.meta.dirname, 'host/simulated-sessions.ts')).href;
  return answerOf(join(import.meta.dirname, 'host/host-run.ts'), [JSON.stringify(order)], ['--import', simulated]);
}
