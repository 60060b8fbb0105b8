import { expect, test } from '@jest/globals';
import { usableCores } from '../../../src/cli/usable-cores.ts';

const cores = (files: Readonly<Record<string, string>>, allowed = 8): number =>
  usableCores((path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  }, allowed);

test('without a quota the affinity decides', () => {
  expect(cores({})).toBe(8);
  expect(cores({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })).toBe(8);
  expect(
    cores({
      '/proc/self/cgroup': '4:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    }),
  ).toBe(8);
});

test('a quota of cgroup version 2 bounds them, on whichever level it stands', () => {
  const own = { '/proc/self/cgroup': '0::/system.slice/worker.service\n' };
  expect(cores({ ...own, '/sys/fs/cgroup/system.slice/worker.service/cpu.max': '250000 100000\n' })).toBe(2);
  expect(
    cores({
      ...own,
      '/sys/fs/cgroup/system.slice/worker.service/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
    }),
  ).toBe(3);
});

test('a quota of cgroup version 1 bounds them, also where the path is that of the host', () => {
  expect(
    cores({
      '/proc/self/cgroup': '5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '400000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    }),
  ).toBe(4);
});

test('there is always one', () => {
  expect(cores({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' })).toBe(1);
});
