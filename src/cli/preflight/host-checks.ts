import { CHECK_LIMIT_MS } from '../../video/check/check-tools.ts';
import type { FfmpegTools } from '../../video/tools/ffmpeg-binary.ts';
import { type Check, fail, ok, warn, OWN_HOST_LIMIT_MS } from './check.ts';
import { SANDBOX_LIMIT_MS } from './decoder-sandbox.ts';
import type { WorkDirFacts } from './work-place.ts';

export interface FoundTools extends FfmpegTools {
  readonly version: string;
  /** Why they were not tried; null where they were. */
  readonly untried: string | null;
}

export interface HostDeps {
  readonly nodeVersion: string;
  /** Finds the tools; rejects where they do not work on the clip that is built in. */
  findFfmpeg(signal: AbortSignal): Promise<FoundTools>;
  /** What WORK_DIR is like; rejects where it cannot be used. */
  workDirFacts(): Promise<WorkDirFacts>;
}

export interface HostSettings {
  readonly workDir: string;
  readonly concurrency: number;
  readonly maxObjectBytes: number;
}

const GIB = 1024 ** 3;
/** Below this not even small videos fit beside each other. */
const LEAST_FREE_BYTES = GIB;

export function hostChecks(deps: HostDeps, settings: HostSettings): readonly Check[] {
  return [
    {
      name: 'Node',
      timeoutMs: OWN_HOST_LIMIT_MS,
      fix: 'run scripts/setup',
      run: async () => judgeNode(deps.nodeVersion),
    },
    {
      name: 'ffmpeg',
      // Of the trial in the sandbox, which the sandbox's own check waits for too, and of the one with a clip.
      timeoutMs: SANDBOX_LIMIT_MS + CHECK_LIMIT_MS,
      fix: 'install ffmpeg, or set FFMPEG_PATH and FFPROBE_PATH',
      run: async (signal) => {
        const tools = await deps.findFfmpeg(signal);
        const detail = `${tools.version} (${tools.source}: ${tools.ffmpeg})`;
        if (tools.untried === null) return ok(detail);
        return warn(`${detail}; not tried: ${tools.untried}`, 'set TMPDIR to a folder that this user can write');
      },
    },
    {
      name: 'work directory',
      // What workers that are gone left is removed at a start: many gigabytes, at times.
      timeoutMs: 60_000,
      fix: `make ${settings.workDir} a folder that only the worker's user can read and write, or set WORK_DIR`,
      run: async () => judgeWorkDir(await deps.workDirFacts(), settings),
    },
  ];
}

export function judgeNode(version: string): ReturnType<typeof ok> {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 18)) {
    return fail(
      `${version}: 22.18 or newer is needed`,
      'start the worker with scripts/start-worker, which brings Node 24',
    );
  }
  return ok(version);
}

export function judgeWorkDir({ freeBytes, note, fix }: WorkDirFacts, settings: HostSettings): ReturnType<typeof ok> {
  const finding = judgeDisk(freeBytes, settings);
  if (note === null) return finding;
  const detail = `${finding.detail}; ${note}`;
  // Of two things that are to be done, the one that a worker cannot do without.
  return fix === null || finding.status !== 'ok' ? { ...finding, detail } : warn(detail, fix);
}

export function judgeDisk(freeBytes: number, settings: HostSettings): ReturnType<typeof ok> {
  const detail = `${settings.workDir}: ${(freeBytes / GIB).toFixed(1)} GiB free`;
  if (freeBytes < LEAST_FREE_BYTES) return fail(detail, 'free disk space, or set WORK_DIR to a larger disk');
  const most = settings.maxObjectBytes * settings.concurrency;
  if (freeBytes < most) {
    return warn(
      `${detail}; CONCURRENCY times MAX_OBJECT_BYTES is ${(most / GIB).toFixed(1)} GiB`,
      'videos that do not fit go back to the queue: use a larger disk, or lower one of the two',
    );
  }
  return ok(detail);
}
