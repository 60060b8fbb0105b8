import { spawnSync } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram, type Ended } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const isThere = spawnSync('systemd-analyze', ['--version']).status === 0;
// A pipeline that lost the program would otherwise go green without these.
const analyzeTest =
  isThere || process.env['CI'] !== undefined
    ? test
    : Object.assign(
        (title: string) => test.skip(`${title} (no systemd-analyze: install the package systemd)`, () => undefined),
        {
          each: (table: readonly unknown[]) => (title: string) =>
            test.skip.each(table)(`${title} (no systemd-analyze: install the package systemd)`, () => undefined),
        },
      );

const UNITS = ['video-worker.service', 'video-worker@.service'] as const;
/** As systemd-analyze sums it up, times ten. */
const MOST = 15;
const MOST_WITH_SANDBOX = 26;
/** What stays open, and video-worker.service says why. */
const OPEN = [
  'DeviceAllow',
  'IPAddressDeny',
  'MemoryDenyWriteExecute',
  'PrivateDevices',
  'PrivateNetwork',
  'ProcSubset',
  'RestrictAddressFamilies_AF_INET_INET6',
  'RestrictAddressFamilies_AF_NETLINK',
  'RestrictAddressFamilies_AF_UNIX',
  'RootDirectoryOrRootImage',
  'SystemCallFilter_privileged',
  'SystemCallFilter_resources',
];
/** What decoder-sandbox.conf opens beyond that, and nothing else. */
const OPEN_FOR_SANDBOX = [
  ...['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'].map((name) => `RestrictNamespaces_${name}`),
  'ProtectKernelTunables',
  'SystemCallFilter_mount',
];

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('units');
  for (const unit of UNITS) {
    await copyFile(`systemd/${unit}`, folder.at(unit));
    const dropIn = folder.at('with-sandbox', `${unit}.d`, 'decoder-sandbox.conf');
    await mkdir(dirname(dropIn), { recursive: true });
    await copyFile(`systemd/${unit}`, folder.at('with-sandbox', unit));
    await copyFile('systemd/decoder-sandbox.conf', dropIn);
  }
});
afterAll(() => folder.remove());

const analyze = (...args: readonly string[]): Promise<Ended> =>
  runProgram('systemd-analyze', ['--no-pager', ...args], { env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } });

const exposure = (file: string, most: number): Promise<Ended> =>
  analyze('security', '--offline=true', `--threshold=${most}`, file);

async function openIn(file: string): Promise<string[]> {
  const { stdout } = await analyze('security', '--offline=true', '--json=short', file);
  const rows = JSON.parse(stdout) as readonly { readonly json_field: string; readonly exposure: string | null }[];
  return rows.flatMap(({ json_field: name, exposure: costs }) => (costs === null ? [] : [name])).toSorted();
}

analyzeTest.each(UNITS)('%s has no mistake that systemd knows', async (unit) => {
  for (const file of [folder.at(unit), folder.at('with-sandbox', unit)]) {
    const { stderr } = await analyze('verify', '--man=no', file);
    // Where it is installed, on the host that runs the tests, is the one thing that must not count.
    const said = stderr
      .split('\n')
      .filter((line) => !/Command \/opt\/video-worker\/scripts\/start-worker is not executable/.test(line));
    expect(said.join('\n').trim()).toBe('');
  }
});

analyzeTest.each(UNITS)(
  `%s is exposed by ${MOST / 10} at most, and by nothing but what it gives a reason for`,
  async (unit) => {
    const { code, stdout } = await exposure(folder.at(unit), MOST);
    expect([code, stdout.trim().split('\n').at(-1)]).toEqual([
      0,
      expect.stringMatching(/Overall exposure level .*: 1\.\d /),
    ]);
    expect(await openIn(folder.at(unit))).toEqual(OPEN);
  },
);

analyzeTest.each(UNITS)(
  'with the sandbox of the decoder %s opens its namespaces, what makes them, and no more',
  async (unit) => {
    const file = folder.at('with-sandbox', unit);
    expect(await exposure(file, MOST_WITH_SANDBOX)).toMatchObject({ code: 0 });
    expect(await openIn(file)).toEqual([...OPEN, ...OPEN_FOR_SANDBOX].toSorted());
  },
);
