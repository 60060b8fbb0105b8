import { readdir, readlink } from 'node:fs/promises';

/** Processes that work in a folder or in one that was removed from it, as `pid`; ffmpeg runs inside its job's workspace. */
export async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd.startsWith(folder)) found.push(pid);
  }
  return found;
}

/** Asks until nothing is left or the time is over, and answers with what is left. */
export async function untilNone(count: () => Promise<number> | number, limitMs: number): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    const left = await count();
    if (left === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
