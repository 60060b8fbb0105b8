import { Failure } from '../../failure/failure.ts';
import { SANDBOX_FIX, type SandboxVerdict } from '../../video/tools/find-sandbox.ts';
import { fail, ok, skipped, warn, type Check, type Finding } from './check.ts';

export interface SandboxDeps {
  /** Starts the tools in the sandbox that the configuration asks for; rejects where there are no tools. */
  trySandbox(signal: AbortSignal): Promise<SandboxVerdict>;
}

/** Up to four ways, each of them tried with both tools. */
export const SANDBOX_LIMIT_MS = 60_000;

/** Whether videos from outside are decoded where nothing but themselves can be reached. */
export function sandboxCheck(deps: SandboxDeps): Check {
  return {
    name: 'decoder sandbox',
    timeoutMs: SANDBOX_LIMIT_MS,
    fix: SANDBOX_FIX,
    run: async (signal) => {
      try {
        return judgeSandbox(await deps.trySandbox(signal));
      } catch (error) {
        // That the tools are not there is said once.
        const isAbsent = error instanceof Failure && error.code === 'FFMPEG_MISSING';
        if (isAbsent) return skipped('there is no ffmpeg to try it with');
        throw error;
      }
    },
  };
}

export function judgeSandbox({ choice, inForce, problem }: SandboxVerdict): Finding {
  if (inForce !== null) {
    const proc = inForce.hasProc ? '' : ', without /proc (the service hides parts of it)';
    return ok(`bubblewrap (${inForce.program})${proc}; DECODER_SANDBOX=${choice}`);
  }
  if (choice === 'off') {
    return warn(
      'off: a decoder that a video takes over can read what this user can, and reach the network',
      'set DECODER_SANDBOX=auto or require',
    );
  }
  const said = `${problem ?? 'there is none'} (DECODER_SANDBOX=${choice})`;
  return choice === 'require' ? fail(said, SANDBOX_FIX) : warn(`without: ${said}`, SANDBOX_FIX);
}
