import { readFile } from 'node:fs/promises';

const CGROUP_V1 = '/sys/fs/cgroup/memory';
const CGROUP_V2 = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/**
 * How many processes the kernel has killed for want of memory, in our cgroup and on the whole machine. A child is in our cgroup, so a
 * number that grew while it ran tells its SIGKILL from one that somebody sent. Zero where the kernel does not count.
 */
export async function countOomKills(read: (path: string) => Promise<string> = readText): Promise<number> {
  const own = await read('/proc/self/cgroup').catch(() => '');
  const files = new Set(['/proc/vmstat']);
  for (const line of own.trim().split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    // In a container the path may be that of the host, and what is mounted here is the group itself.
    for (const group of new Set([path === '/' ? '' : path, ''])) {
      if (controllers.split(',').includes('memory')) files.add(`${CGROUP_V1}${group}/memory.oom_control`);
      if (controllers === '') for (const root of CGROUP_V2) files.add(`${root}${group}/memory.events`);
    }
  }
  const texts = await Promise.all([...files].map((file) => read(file).catch(() => '')));
  return texts.reduce((sum, text) => sum + Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0), 0);
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
