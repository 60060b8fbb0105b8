import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../../harness/run-program.ts';
import { MACHINE_DROP_IN, startSystemdMachine, whyNoMachine } from '../../harness/systemd-machine.ts';

const whyNot = whyNoMachine();
const machineTest =
  whyNot === null ? test : (title: string): void => test.skip(`${title} (${whyNot})`, () => undefined);

/** The unit with something else to run: what that can do, the worker could. */
const PROBE = `${MACHINE_DROP_IN}Type=oneshot\nRestart=no\nExecStart=\nExecStart=/bin/bash /etc/probe.sh\n`;
const DEVICE = '/etc/device';
const CREDENTIAL = 'postgres://worker:a-secret@db/worker';

/** What a line of the probe printed, by its name. */
async function probe(script: string, more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  await using machine = await startSystemdMachine({
    files: {
      'units/video-worker.service': readFileSync('systemd/video-worker.service', 'utf8'),
      'units/video-worker.service.d/machine.conf': PROBE,
      'video-worker/worker.env': '',
      'probe.sh': script,
      ...more,
    },
  });
  // A device that everybody may open on a host, and that none of the worker's is: not the mode of its file keeps it shut.
  const { code: made, stderr: why } = await runProgram('mknod', ['--mode=0666', machine.at(DEVICE), 'c', '10', '200']);
  if (made !== 0) throw new Error(why);
  const { code, stderr } = await machine.systemctl('start', 'video-worker');
  const words = await machine.words();
  if (code !== 0) throw new Error(`${stderr}\n${words}`);
  return Object.fromEntries(
    words
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
}

/** System calls by their number on x86-64, with what they answer to nothing of use: 1 is EPERM. */
const CALLS = `/usr/bin/python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, number in dict(add_key=248, bpf=321, chown=92, io_uring_setup=425, kexec_load=246, keyctl=250, mount=165, perf_event_open=298, pivot_root=155, ptrace=101,
                         setuid=105, swapon=167, umount2=166, unshare_user=272, userfaultfd=323).items():
    libc.syscall(number, 0x10000000 if name == "unshare_user" else 0, 0, 0, 0, 0)
    print(name + ": " + str(ctypes.get_errno()), flush=True)
'`;

const BWRAP =
  'bwrap --unshare-all --die-with-parent --new-session --clearenv --cap-drop ALL --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --dev /dev --tmpfs /tmp';
const SANDBOX = {
  'units/video-worker.service.d/decoder-sandbox.conf': readFileSync('systemd/decoder-sandbox.conf', 'utf8'),
};

describe('what the unit leaves to whoever takes the worker over', () => {
  machineTest('no system call that only attacks need', async () => {
    const answers = await probe(CALLS);
    expect(new Set(Object.values(answers))).toEqual(new Set(['1']));
    expect(Object.keys(answers)).toHaveLength(15);
  });

  machineTest('no process, no file and no user but its own, and of the network nothing beside addresses', async () => {
    const script = `
try() { echo "$1: $("\${@:2}" 2>&1 | tail -1 | sed 's/.*: //')"; }
try others ls /proc/1
try etc touch /etc/x
try project touch /opt/video-worker/x
try tunable sh -c 'echo 1 > /proc/sys/vm/overcommit_memory'
try home ls /root
try device bash -c ': </etc/device'
try users sh -c 'wc -l < /proc/self/uid_map'
try capabilities grep CapBnd /proc/self/status
try neighbour bash -c 'echo > /dev/udp/169.254.7.7/80'
try group bash -c 'echo > /dev/udp/224.0.0.1/80'
try metadata bash -c 'echo > /dev/udp/169.254.169.254/80 || true'
try itself bash -c 'echo > /dev/udp/127.0.0.1/9 && echo sent'
try packets /usr/bin/python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'
try dump sh -c 'ulimit -c'
try cache stat -c '%a %U' /var/cache/video-worker
try runtime stat -c '%a %U' /run/video-worker
`;
    const answers = await probe(script);
    expect(answers).toMatchObject({
      others: 'No such file or directory',
      etc: 'Read-only file system',
      project: 'Read-only file system',
      home: 'Permission denied',
      device: 'Operation not permitted',
      users: '2',
      capabilities: expect.stringMatching(/\t0+$/),
      neighbour: 'Operation not permitted',
      group: 'Operation not permitted',
      itself: 'sent',
      packets: '[Errno 97] Address family not supported by protocol',
      dump: '0',
      cache: '700 video-worker',
      runtime: '700 video-worker',
    });
    expect(answers['tunable']).toMatch(/Read-only|denied/);
    expect(answers['metadata']).not.toContain('not permitted');
  });

  machineTest('no namespace, and with the drop-in just what the sandbox of the decoder is made of', async () => {
    expect(await probe(`echo "sandbox: $(${BWRAP} /usr/bin/echo within 2>&1)"`)).toEqual({
      sandbox: expect.stringContaining('No permissions to create new namespace'),
    });
    // A call that the filter lacks would kill: none that bubblewrap makes may.
    const killing = { 'units/video-worker.service.d/zz.conf': '[Service]\nSystemCallErrorNumber=\n' };
    const script = `
echo "sandbox: $(${BWRAP} /usr/bin/echo within 2>&1)"
echo "nested: $(${BWRAP} --unshare-user --disable-userns /usr/bin/unshare --user /usr/bin/echo within 2>&1)"
echo "network: $(${BWRAP} /usr/bin/bash -c 'echo > /dev/udp/1.2.3.4/9' 2>&1 | sed 's/.*: //' | tail -1)"
echo "limits: $(prlimit --cpu=5 --as=4000000000 --core=0 -- ${BWRAP} /usr/bin/echo within 2>&1)"
`;
    expect(await probe(script, { ...SANDBOX, ...killing })).toEqual({
      sandbox: 'within',
      nested: expect.stringContaining('No space left on device'),
      network: 'Network is unreachable',
      limits: 'within',
    });
  });

  machineTest('the credentials that are there, and a start without those that are not', async () => {
    const script = `cd "$CREDENTIALS_DIRECTORY" && for file in *; do echo "$file: $(stat -c %a "$file") $(cat "$file")"; done`;
    expect(await probe(script, { 'credstore/video-worker.database-url': CREDENTIAL })).toEqual({
      'video-worker.database-url': `400 ${CREDENTIAL}`,
    });
  });
});
