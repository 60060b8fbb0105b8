import { setEnvironmentData } from 'node:worker_threads';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import { locateFfmpeg } from '../../../src/video/tools/ffmpeg-binary.ts';
import { clockMemory, deviceClock } from './device-clock.ts';
import type { SimulatedGpu } from './device-times.ts';
import { ORDER, type SimulationOrder } from './simulated-sessions.ts';
import { analyseAtOnce, itemsPerRun } from './analyse-at-once.ts';

/** What a process of its own is asked to do. */
export interface HostOrder {
  readonly pack: string;
  readonly video: string;
  /** A program that is ffmpeg, or stands in for it. */
  readonly ffmpeg: string;
  readonly videos: number;
  /** Of the recorded answers of models. */
  readonly recording: string;
  /** Null: record. */
  readonly gpu: SimulatedGpu | null;
}

export interface HostRun {
  readonly frames: number;
  readonly wallMs: number;
  /** Of this process, all threads, children not. */
  readonly cpuMs: number;
  readonly mainThreadCpuMs: number;
  /** Share of the wall time in which the device worked. */
  readonly deviceBusy: number;
  readonly deviceMsPerFrame: number;
  readonly deviceRunsPerFrame: number;
  /** Rows that were answered with their own recording, of all. */
  readonly answeredByOwn: number;
  readonly itemsPerRun: Readonly<Record<string, number>>;
  readonly peakMiB: number;
}

/** One row in a run, so that each row's answer is its own; in a replay what the worker takes on CUDA. */
const SINGLE = { detection: 1, people: 1, language: 1 };
const ON_CUDA = { detection: 8, people: 64, language: 8 };
const UNDER_WAY = 32;

async function run(order: HostOrder): Promise<HostRun> {
  const [clock, rows] = [clockMemory(), new SharedArrayBuffer(8)];
  const { gpu, recording: folder } = order;
  const told: SimulationOrder =
    gpu === null ? { kind: 'record', folder } : { kind: 'replay', folder, gpu, clock, rows };
  setEnvironmentData(ORDER, told);
  const tools = await locateFfmpeg({ ffmpegPath: order.ffmpeg, ffprobePath: null });
  const chain = await createModelChain({
    pack: await loadPack(order.pack),
    device: 'cuda',
    threads: { vision: 1, language: 1 },
    batch: gpu === null ? SINGLE : ON_CUDA,
    localScenes: false,
    padBatches: gpu !== null,
    peopleApart: gpu !== null,
  });
  const device = deviceClock(clock);
  device.start();
  try {
    const [cpu, main, started] = [process.cpuUsage(), process.threadCpuUsage(), performance.now()];
    const one = { tools, chain, pool: createFramePool(), framesInFlight: Math.ceil(UNDER_WAY / order.videos) };
    const frames = await analyseAtOnce(one, order.video, order.videos);
    const wallMs = performance.now() - started;
    const [used, usedByMain] = [process.cpuUsage(cpu), process.threadCpuUsage(main)];
    const { busyMs, runs } = device.used();
    const [asked = 0, found = 0] = new Int32Array(rows);
    return {
      frames,
      wallMs,
      cpuMs: (used.user + used.system) / 1000,
      mainThreadCpuMs: (usedByMain.user + usedByMain.system) / 1000,
      deviceBusy: busyMs / wallMs,
      deviceMsPerFrame: busyMs / frames,
      deviceRunsPerFrame: runs / frames,
      answeredByOwn: found / asked,
      itemsPerRun: itemsPerRun(await chain.timings()),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await chain.close();
  }
}

const [text] = process.argv.slice(2);
if (import.meta.main && text !== undefined) {
  const figures = await run(JSON.parse(text) as HostOrder);
  process.send?.(figures);
  process.disconnect?.();
}
