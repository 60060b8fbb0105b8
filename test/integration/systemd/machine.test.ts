import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { descendantsOf } from '../../harness/processes.ts';
import { runProgram } from '../../harness/run-program.ts';
import { MACHINE_DROP_IN, startSystemdMachine, whyNoMachine } from '../../harness/systemd-machine.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const whyNot = whyNoMachine();
const machineTest =
  whyNot === null ? test : (title: string): void => test.skip(`${title} (${whyNot})`, () => undefined);

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder('machine-test');
});
afterEach(() => folder.remove());

/** A PATH in which one program is replaced by lines of a shell. */
async function programsWith(name: string, lines: string): Promise<string> {
  await writeFile(folder.at(name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return `${folder.path}:${process.env['PATH']}`;
}

/** Control groups of machines whose script is gone. */
async function abandonedGroups(): Promise<string[]> {
  const find = 'mount -t cgroup2 none /tmp && find /tmp -name "machine-*"';
  const { stdout } = await runProgram('unshare', ['--mount', 'sh', '-c', find]);
  return stdout
    .split('\n')
    .filter((path) => path !== '' && !existsSync(`/proc/${path.slice(path.lastIndexOf('-') + 1)}`));
}

machineTest('where something cannot be mounted there is no machine, and the reason is said', async () => {
  for (const what of ['--make-rprivate', 'overlay', 'cgroup2']) {
    const refuse = `case "$*" in *${what}*) echo "no ${what} here" >&2; exit 32;; esac; exec /usr/bin/mount "$@"`;
    expect(whyNoMachine(await programsWith('mount', refuse))).toBe(
      `nothing can be mounted in a namespace here: no ${what} here`,
    );
  }
});

machineTest('one that does not start is ended with all that it has begun', async () => {
  const programs = await programsWith('cp', 'exec sleep 600');
  const before = await abandonedGroups();
  await expect(startSystemdMachine({ files: {}, programs, startLimitMs: 1_000 })).rejects.toThrow('did not start');
  expect(await descendantsOf()).toEqual([]);
  // Those of others may have been taken away meanwhile.
  expect((await abandonedGroups()).filter((group) => !before.includes(group))).toEqual([]);
});

machineTest('what root does in one stays in it', async () => {
  const mark = `machine-mark-${process.pid}`;
  const script = `
touch /srv/${mark}
cat /proc/sys/fs/file-max > /proc/sys/fs/file-max
touch /var/tmp/${mark} && echo private
`;
  const unit = `PrivateTmp=yes\nType=oneshot\nRemainAfterExit=yes\nExecStart=-/bin/sh /etc/mark.sh\n`;
  try {
    await using machine = await startSystemdMachine({
      files: { [`units/${mark}.service`]: `${MACHINE_DROP_IN}${unit}`, 'mark.sh': script },
    });
    await machine.systemctl('start', mark);
    const words = await machine.words();
    expect(words.match(/Read-only file system/g)).toHaveLength(2);
    expect(words).toMatch(/^private$/m);
    // It is still active: its folder for temporary files is there, and goes with the machine.
    expect((await readdir(machine.at('/var/tmp'))).filter((name) => name.includes(mark))).toHaveLength(1);
    expect((await readdir('/var/tmp')).filter((name) => name.includes(mark))).toEqual([]);
  } finally {
    await rm(`/srv/${mark}`, { force: true });
  }
});
