import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';

const V1_ROOTS = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct'];
const V2_ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/**
 * Cores that this process may keep busy, at least 1: those that its affinity allows, and no more than the CPU quotas of its cgroups.
 * Node's own number misses the quotas of version 1 where `cpu` is mounted alone; this one reads both versions, on every level.
 */
export function usableCores(
  read: (path: string) => string = readText,
  allowed: number = availableParallelism(),
): number {
  const quotas = quotaFiles(readOr(read, '/proc/self/cgroup')).map((files) =>
    quotaIn(files.map((file) => readOr(read, file)).join(' ')),
  );
  return Math.max(1, Math.floor(Math.min(allowed, ...quotas)));
}

/** Of every group from the own one up: in a container the path may be that of the host, and the mounted root is the group itself. */
function quotaFiles(groups: string): readonly (readonly string[])[] {
  return groups.split('\n').flatMap((line) => {
    const [, controllers = 'none', path = '/'] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const levels = levelsOf(path);
    if (controllers === '') return V2_ROOTS.flatMap((root) => levels.map((group) => [`${root}${group}/cpu.max`]));
    if (!controllers.split(',').includes('cpu')) return [];
    return V1_ROOTS.flatMap((root) =>
      levels.map((group) => [`${root}${group}/cpu.cfs_quota_us`, `${root}${group}/cpu.cfs_period_us`]),
    );
  });
}

/** `/a/b`, `/a` and the empty one. */
function levelsOf(path: string): readonly string[] {
  return path === '/' ? [''] : [path, ...levelsOf(dirname(path))];
}

/** Cores, from `QUOTA PERIOD` in microseconds; `max` and -1 are no quota, and neither is a file that is not there. */
function quotaIn(text: string): number {
  const [, quota, period] = /^\s*(\d+)\s+([1-9]\d*)\s*$/.exec(text) ?? [];
  return quota === undefined || period === undefined ? Infinity : Number(quota) / Number(period);
}

function readOr(read: (path: string) => string, path: string): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
