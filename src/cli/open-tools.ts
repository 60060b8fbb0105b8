import { secretFilesIn, type Config } from '../config/config.ts';
import { environment } from '../config/environment.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import { SANDBOX_FIX, type SandboxQuestion } from '../video/tools/find-sandbox.ts';
import { openTools } from '../video/tools/open-tools.ts';

const NEVER = new AbortController().signal;

/** What the configuration asks of the decoder's sandbox. */
export function sandboxQuestion({ decode, worker }: Config): SandboxQuestion {
  const secrets = secretFilesIn(environment()).map(({ path }) => path);
  return { choice: decode.sandbox, hidden: [worker.workDir, ...secrets] };
}

/** ffmpeg as the configuration names it, in the sandbox that it asks for; says once which one is in force. */
export async function openConfiguredTools(config: Config, logger: Logger, signal = NEVER): Promise<FfmpegTools> {
  const tools = await openTools(config.ffmpeg, sandboxQuestion(config), signal);
  tellSandbox(tools, logger);
  return tools;
}

function tellSandbox({ sandbox }: FfmpegTools, logger: Logger): void {
  if (sandbox === undefined) return;
  const { inForce, problem, choice } = sandbox;
  if (inForce !== null) {
    logger.info({ sandbox: inForce.program, choice }, 'decoders start in a sandbox');
    return;
  }
  const why = problem === null ? 'DECODER_SANDBOX=off' : `${problem}; ${SANDBOX_FIX}`;
  logger.warn({ choice, problem }, `decoders start without a sandbox, under their limits alone: ${why}`);
}
