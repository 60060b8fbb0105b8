import { expect, test } from '@jest/globals';
import { countOomKills } from '../../../src/video/tools/oom-kills.ts';

const reading = (files: Readonly<Record<string, string>>) => async (path: string) => {
  const text = files[path];
  if (text === undefined) throw new Error(`no ${path}`);
  return text;
};

test.each<[string, Record<string, string>, number]>([
  [
    'of the second version',
    {
      '/proc/self/cgroup': '0::/system.slice/w.service\n',
      '/sys/fs/cgroup/system.slice/w.service/memory.events': 'oom 3\noom_kill 2\n',
    },
    2,
  ],
  [
    'of the first version',
    {
      '/proc/self/cgroup': '4:cpu,memory:/a\n0::/\n',
      '/sys/fs/cgroup/memory/a/memory.oom_control': 'under_oom 0\noom_kill 5\n',
    },
    5,
  ],
  [
    'of a container, which sees its own as the root',
    { '/proc/self/cgroup': '0::/docker/1\n', '/sys/fs/cgroup/memory.events': 'oom_kill 1\n' },
    1,
  ],
  ['that is none, on a machine that counts', { '/proc/vmstat': 'pgfault 9\noom_kill 4\n' }, 4],
  ['that does not count', {}, 0],
])('the kills of a group %s are counted', async (_what, files, kills) => {
  expect(await countOomKills(reading(files))).toBe(kills);
});
