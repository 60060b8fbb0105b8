import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Nobody's on a host for tests: the processes that have it are ours. */
export const OTHER_UID = 64_321;

/** Only root can act as another user. */
export const canBeOther = process.getuid?.() === 0;

/** Whether that other user can run our Node and read a file of ours: a checkout below /root is closed to it. */
export function canOtherRun(file: string): boolean {
  if (!canBeOther) return false;
  const read = `require('node:fs').readFileSync(${JSON.stringify(file)})`;
  const options = { cwd: '/', uid: OTHER_UID, gid: OTHER_UID, stdio: 'ignore' } as const;
  return spawnSync(process.execPath, ['-e', read], options).status === 0;
}

/** Runs lines of TypeScript in a process of another user, and answers with what they print. Rejects where they fail. */
export async function runAsOther(lines: string): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', lines];
  const child = spawn(process.execPath, args, {
    cwd: '/',
    uid: OTHER_UID,
    gid: OTHER_UID,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`the lines ended with ${String(code)}`);
  return printed.trim();
}
