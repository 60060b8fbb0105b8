import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { owned } from '../../harness/ownership.ts';
import { runProgram, type Ended } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

/** Node has no sockets of this kind, which is what all of this is about: Python hears what is said, and by whom, as systemd does. */
const LISTENER = `
import socket, struct, sys
path = sys.argv[1]
way = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
way.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
way.bind("\\0" + path[1:] if path.startswith("@") else path)
print("listening", flush=True)
while True:
    text, extra, _, _ = way.recvmsg(4096, 1024)
    pid = struct.unpack("iII", extra[0][2])[0]
    print(pid, text.decode().replace("\\n", "|"), flush=True)
`;
/** The worker's side: says READY by its own notifier, then what a child of it can see, then who it is. */
const SPEAKER = `
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createSystemdNotifier } from ${JSON.stringify(resolve('src/telemetry/systemd-notify.ts'))};
using notifier = createSystemdNotifier({ env: process.env, logger: { warn: (fields) => console.error(String(fields.err)) } });
await notifier.ready('polling');
const own = process.env.NOTIFY_FD === undefined ? 'none' : readlinkSync('/proc/self/fd/' + process.env.NOTIFY_FD);
const fds = execFileSync('/bin/ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
console.log(JSON.stringify({ pid: process.pid, seenByChild: fds.includes(own), fd: process.env.NOTIFY_FD, socket: process.env.NOTIFY_SOCKET }));
`;
/** As the package `perl-interpreter` of Fedora, installed alone. */
const PERL_WITHOUT_MODULES = `#!/bin/sh
echo "Can't locate Socket.pm in @INC" >&2
exit 2
`;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder('notify-socket');
});
afterEach(async () => {
  await folder.remove();
});

interface Heard {
  readonly lines: string[];
  /** Resolves when so many datagrams have come. */
  come(count: number): Promise<void>;
}

async function listen(path: string): Promise<Heard & AsyncDisposable> {
  const child = spawn('/usr/bin/python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = owned(`the listener ${child.pid}`, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const reading = createInterface({ input: child.stdout });
  await once(reading, 'line');
  const lines: string[] = [];
  let wake = (): void => undefined;
  reading.on('line', (line) => {
    lines.push(line);
    wake();
  });
  const come = async (count: number): Promise<void> => {
    while (lines.length < count) await new Promise<void>((resolved) => (wake = resolved));
  };
  return { lines, come, [Symbol.asyncDispose]: end };
}

/** Runs the speaker as the launcher runs the worker, with these programs and no others in its PATH. */
async function speak(socket: string, programs: readonly string[]): Promise<Ended> {
  for (const program of programs) await symlink(`/usr/bin/${program}`, folder.at(program));
  const script = `root=x; . ${resolve('scripts/setup-lib/run-node.sh')}; exec_with_notify_socket "$0" --input-type=module-typescript --disable-warning=ExperimentalWarning -e "$SPEAKER"`;
  const env = { PATH: folder.path, NOTIFY_SOCKET: socket, SPEAKER, LANG: 'xx_XX.UTF-8' };
  return await runProgram('/bin/bash', ['-c', script, process.execPath], { env, timeoutMs: 30_000 });
}

describe('the socket that the launcher hands over', () => {
  test.each([
    ['perl', 'a path'],
    ['python3', 'a path'],
    ['perl', 'an abstract name'],
    ['python3', 'an abstract name'],
  ])('%s opens it at %s: the main process speaks itself, and no child can', async (program, kind) => {
    const at = folder.at('with@in.sock');
    const socket = kind === 'a path' ? at : `@${at}`;
    await using heard = await listen(socket);
    const { code, stdout, stderr } = await speak(socket, [program]);
    expect([code, stderr]).toEqual([0, '']);
    const said = JSON.parse(stdout) as { pid: number };
    expect(said).toEqual({ pid: said.pid, seenByChild: false, fd: expect.any(String) });
    await heard.come(1);
    expect(heard.lines).toEqual([`${said.pid} READY=1|STATUS=polling`]);
  });

  test.each(['perl', 'python3'])(
    'where nothing listens %s says so, and the worker starts all the same',
    async (program) => {
      const { code, stdout, stderr } = await speak(folder.at('nobody'), [program]);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { socket: folder.at('nobody') }]);
      expect(stderr).toMatch(/^start-worker: NOTIFY_SOCKET cannot be connected to \(.*\): a child speaks/);
    },
  );

  test('a perl that lacks its modules leaves it to Python', async () => {
    await writeFile(folder.at('perl'), PERL_WITHOUT_MODULES, { mode: 0o755 });
    await using heard = await listen(folder.at('socket'));
    const { code, stdout, stderr } = await speak(folder.at('socket'), ['python3']);
    expect([code, stderr]).toEqual([0, '']);
    await heard.come(1);
    expect(heard.lines).toEqual([`${(JSON.parse(stdout) as { pid: number }).pid} READY=1|STATUS=polling`]);
  });

  test('neither such a perl nor a Python that does not start keeps the worker from starting', async () => {
    for (const name of ['perl', 'python3']) await writeFile(folder.at(name), PERL_WITHOUT_MODULES, { mode: 0o755 });
    const { code, stderr } = await speak(folder.at('nobody'), []);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^start-worker: neither perl nor python3/)]);
  });

  test('without both a child speaks, and what that needs is said', async () => {
    const { code, stderr } = await speak(folder.at('nobody'), []);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^start-worker: neither perl nor python3 with its modules is found: .* NotifyAccess=all/);
  });
});
