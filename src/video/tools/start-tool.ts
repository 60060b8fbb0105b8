import { basename, dirname } from 'node:path';
import {
  startLimited,
  type ChildLimits,
  type LimitedChild,
  type NotingChild,
  type PipedChild,
} from './child-process.ts';
import type { FfmpegTools } from './ffmpeg-binary.ts';
import { sandboxArguments } from './sandbox.ts';
import type { SocketPair } from './socket-pair.ts';

/** One run of a tool. */
export interface ToolStart {
  readonly tool: 'ffmpeg' | 'ffprobe';
  readonly args: readonly string[];
  /** The file that it reads, in whose folder it starts; null: it reads none. */
  readonly file: string | null;
  readonly limits: ChildLimits;
  /** Needs the devices of the GPU. */
  readonly usesGpu?: boolean;
}

/** Where its pictures go, and that it has a pipe for notes on them, descriptor 3. */
interface DecoderOutput {
  readonly output: SocketPair;
}

type Tools = Pick<FfmpegTools, 'ffmpeg' | 'ffprobe' | 'sandbox'>;

/** How the arguments name the file: it lies where the tool starts, with a sandbox and without. */
export function nameOf(file: string): string {
  return `file:${basename(file)}`;
}

/**
 * Starts ffmpeg or ffprobe, in the sandbox where there is one: the only place where either is started. Rejects with the host's failure
 * when that does not start; what it comes upon later, the exit of the child tells.
 */
export async function startTool(tools: Tools, start: ToolStart): Promise<PipedChild>;
export async function startTool(tools: Tools, start: ToolStart, output: DecoderOutput): Promise<NotingChild>;
export async function startTool(tools: Tools, start: ToolStart, output?: DecoderOutput): Promise<LimitedChild> {
  const { tool, args, file, limits, usesGpu = false } = start;
  const options = output === undefined ? {} : { ...output, hasNotes: true };
  const program = tools[tool];
  const sandbox = tools.sandbox?.inForce ?? null;
  if (sandbox === null) {
    return await startLimited(program, args, file === null ? '/' : dirname(file), limits, options);
  }
  const statusDescriptor = output === undefined ? 3 : 4;
  const sandboxed = sandboxArguments(sandbox, { program, args, file, usesGpu }, statusDescriptor);
  return await startLimited(sandbox.program, sandboxed, '/', limits, { ...options, statusDescriptor });
}
