import { type Check, type Finding, ok, skipped, warn, OWN_HOST_LIMIT_MS } from './check.ts';

export interface AllocatorDeps {
  /**
   * The variables that the process began with, which alone the C library has seen: those of an environment file come later. Rejects
   * where the system does not tell them.
   */
  firstEnvironment(): Promise<ReadonlyMap<string, string>>;
}

const FIX = 'start with scripts/start-worker or scripts/video-worker, or set MALLOC_ARENA_MAX=1 before Node starts';
/** Allocators that take the place of the C library's. */
const OTHERS = /jemalloc|tcmalloc|mimalloc/;

/** Whether memory stays flat: a line about how the process was started, which hinders nothing. */
export function allocatorCheck(deps: AllocatorDeps): Check {
  return {
    name: 'allocator',
    timeoutMs: OWN_HOST_LIMIT_MS,
    severity: 'warn',
    fix: FIX,
    run: async () => {
      const variables = await deps.firstEnvironment().catch(() => null);
      return variables === null ? skipped('the system does not tell how this process began') : judge(variables);
    },
  };
}

function judge(variables: ReadonlyMap<string, string>): Finding {
  const preloaded = variables.get('LD_PRELOAD') ?? '';
  if (OTHERS.test(preloaded)) return ok(`in place of the C library's: ${preloaded}`);
  const tuned = /glibc\.malloc\.arena_max=(\d+)/.exec(variables.get('GLIBC_TUNABLES') ?? '')?.[1];
  const most = tuned ?? variables.get('MALLOC_ARENA_MAX');
  if (most !== undefined) return ok(most === '' ? 'arenas as the C library likes' : `at most ${most} arena(s)`);
  return warn('MALLOC_ARENA_MAX was not set when this process began: its memory grows with the length of videos', FIX);
}

/** The variables in the form in which the kernel keeps them: `NAME=value`, each with a zero behind it. */
export function parseEnvironment(text: string): ReadonlyMap<string, string> {
  const entries = text.split('\0').filter((entry) => entry.includes('='));
  return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}
