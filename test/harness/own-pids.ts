import { spawnSync } from 'node:child_process';

/** What starts a program in a pid namespace of its own, with the /proc of that: what a container is to process ids. */
export const IN_ITS_OWN_PIDS = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

/** Root alone may, and root in most containers may not. */
export function canHaveOwnPids(): boolean {
  const [program, ...args] = IN_ITS_OWN_PIDS;
  return spawnSync(program, [...args, 'true'], { stdio: 'ignore' }).status === 0;
}
