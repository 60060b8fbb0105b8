import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decoderOptions, planeFilters, WHOLE_PASS, type DecodePass } from '../decode/decode-mode.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { GPU_CLIP, GPU_CLIP_FRAMES, GPU_CLIP_SIDE } from './gpu-clip.ts';
import { LastWords, LineSplitter } from '../tools/last-words.ts';
import { nameOf, startTool } from '../tools/start-tool.ts';

/** How long a caller should let the check take: a driver that nothing uses is loaded by the first program that asks for it. */
export const GPU_CHECK_LIMIT_MS = 60_000;

const CPU_SECONDS = 60;
const CLIP_BYTES = GPU_CLIP_FRAMES * GPU_CLIP_SIDE * GPU_CLIP_SIDE * 3;

interface Ended {
  readonly code: number | null;
  readonly output: Buffer;
  readonly said: string;
}

/**
 * Has ffmpeg decode a built-in clip on the GPU, so that it fails where the processor would step in, and holds the pixels against those of
 * the processor. Null: they are the same. Otherwise why that GPU cannot be used. Rejects with the reason of the signal when that fires.
 */
export async function checkGpuDecoder(
  tools: FfmpegTools,
  gpu: number,
  folder: string,
  signal: AbortSignal,
): Promise<string | null> {
  const file = join(folder, 'gpu-check');
  await writeFile(file, GPU_CLIP, { mode: 0o600 });
  const run = (args: readonly string[], usesGpu: boolean): Promise<Ended> =>
    runTool(tools, { args, file, usesGpu }, signal);
  const listed = await run(['-hide_banner', '-v', 'error', '-hwaccels'], false);
  if (!/^cuda$/m.test(listed.output.toString())) return `${tools.ffmpeg} was built without CUDA`;
  const byGpu = await run(clipArguments(file, { ...WHOLE_PASS, gpu }), true);
  if (byGpu.code !== 0 || byGpu.output.length !== CLIP_BYTES) {
    const said = byGpu.said === '' ? `exit code ${byGpu.code}` : byGpu.said;
    return `${tools.ffmpeg} does not decode the built-in clip on GPU ${gpu}: ${said}`;
  }
  const byProcessor = await run(clipArguments(file, WHOLE_PASS), false);
  if (byProcessor.output.equals(byGpu.output)) return null;
  return `GPU ${gpu} makes other pixels of the built-in clip than the processor`;
}

function clipArguments(file: string, pass: DecodePass): readonly string[] {
  // Pictures that are still on the GPU were made there: with these options ffmpeg cannot fall back to the processor in silence.
  const onGpu = pass.gpu === null ? [] : ['-hwaccel_output_format', 'cuda'];
  const download = pass.gpu === null ? [] : ['hwdownload', 'format=nv12'];
  const filters = [...download, ...planeFilters(pass, 'yuv420p'), `scale=${GPU_CLIP_SIDE}:${GPU_CLIP_SIDE}`];
  return [
    '-hide_banner -nostdin -nostats -v repeat+level+warning'.split(' '),
    [...decoderOptions(pass, 1), ...onGpu, '-f', 'h264', '-i', nameOf(file)],
    ['-vf', filters.join(','), '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ].flat();
}

async function runTool(
  tools: FfmpegTools,
  start: { readonly args: readonly string[]; readonly file: string; readonly usesGpu: boolean },
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  // No limit of address space: CUDA reserves many times what it uses.
  const limits = { cpuSeconds: CPU_SECONDS, memoryBytes: null };
  const child = await startTool(tools, { tool: 'ffmpeg', limits, ...start });
  const stop = (): void => void child.stop();
  signal.addEventListener('abort', stop, { once: true });
  const words = new LastWords();
  const lines = new LineSplitter((line) => {
    words.add(line);
  });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // It may have fired while the child was started, before anybody listened.
    signal.throwIfAborted();
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      lines.push(chunk);
    });
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > 2 * CLIP_BYTES) break;
      chunks.push(chunk);
    }
    const { code } = await child.exited;
    signal.throwIfAborted();
    lines.end();
    return { code, output: Buffer.concat(chunks), said: words.text };
  } catch (error) {
    // A pipe that the stop closed is not the reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await child.stop();
  }
}
