import { readdir, readFile, readlink } from 'node:fs/promises';

/** Ids of processes that work in a folder (or in one that was removed from it) or were started with it in their environment. */
export async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (cwd.startsWith(folder) || environ.includes(`WORK_DIR=${folder}`)) found.push(pid);
  }
  return found;
}

/** Asks until nothing is left or the time is over, and answers with what is left. */
export async function untilNone(count: () => Promise<number> | number, limitMs: number): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    const left = await count();
    if (left === 0 || performance.now() > end) return left;
    await new Promise((wake) => setTimeout(wake, 200));
  }
}
