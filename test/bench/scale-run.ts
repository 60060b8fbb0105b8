import { readFileSync } from 'node:fs';
import { createModelChain } from '../../src/chain/create-model-chain.ts';
import { planHere } from '../../src/cli/execution-plan.ts';
import { loadConfig } from '../../src/config/config.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { createFramePool } from '../../src/video/frames/frame-pool.ts';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { analyseAtOnce } from './host/analyse-at-once.ts';
import { childrenSeconds } from './process-cost.ts';

export interface ScaleRun {
  readonly frames: number;
  /** From the first video's start on: the models are open and warm. */
  readonly wallMs: number;
  /** Of this process and of its decoders. */
  readonly cpuMs: number;
  readonly decoderCpuMs: number;
  /** Of this process. */
  readonly peakMiB: number;
}

const decodersMs = (): number => childrenSeconds(readFileSync('/proc/self/stat', 'utf8')) * 1000;

/** So many videos at once on one chain of the CPU, with what the worker decides on this host for as many. */
async function run(packDir: string, video: string, videos: number): Promise<ScaleRun> {
  const pack = await loadPack(packDir);
  const plan = planHere(loadConfig({ DEVICE: 'cpu' }), pack, { device: 'cpu', videosAtOnce: videos });
  const { pipelines, threads, detectionBatch, peopleBatch, languageBatch, decoderThreads, framesInFlight } = plan;
  const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const chain = await createModelChain({
    pack,
    device: 'cpu',
    pipelines,
    threads: { vision: threads, language: threads },
    batch: { detection: detectionBatch, people: peopleBatch, language: languageBatch },
    localScenes: false,
  });
  try {
    const one = { tools, chain, pool: createFramePool(), framesInFlight, decoderThreads };
    const [cpu, decoders, started] = [process.cpuUsage(), decodersMs(), performance.now()];
    const frames = await analyseAtOnce(one, video, videos);
    const wallMs = performance.now() - started;
    const used = process.cpuUsage(cpu);
    const decoderCpuMs = decodersMs() - decoders;
    return {
      frames,
      wallMs,
      cpuMs: (used.user + used.system) / 1000 + decoderCpuMs,
      decoderCpuMs,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    };
  } finally {
    await chain.close();
  }
}

const [pack, video, videos] = process.argv.slice(2);
if (import.meta.main && pack !== undefined && video !== undefined) {
  process.send?.(await run(pack, video, Number(videos)));
  process.disconnect?.();
}
