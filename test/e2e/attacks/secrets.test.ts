import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { backendMessage, startDaemonGround, type DaemonGround } from '../../harness/daemon-ground.ts';
import { freePort } from '../../harness/postgres.ts';
import { runVideoWorker } from '../../harness/operator-command.ts';

const TOKEN = 'never-to-be-seen-token';
const PASSWORD = 'never-to-be-seen-password';
const KEY = 'never-to-be-seen-key';

let ground: DaemonGround;

beforeAll(async () => {
  ground = await startDaemonGround();
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

/** The database takes any password. */
function secretUrl(): string {
  const url = new URL(ground.postgres.url);
  url.password = PASSWORD;
  return url.href;
}

async function secretFile(name: string, content: string): Promise<string> {
  const path = ground.folder.at(name);
  await writeFile(path, `${content}\n`, { mode: 0o400 });
  return path;
}

/** Stands in the ground's folder, and leaves its environment in the file of this path when it is called. */
async function tellingGpuTool(): Promise<string> {
  const saw = ground.folder.at('saw');
  const path = ground.folder.at('nvidia-smi');
  await writeFile(path, `#!/bin/sh\ntr '\\0' '\\n' < /proc/self/environ >> '${saw}'\nexit 1\n`, { mode: 0o755 });
  return saw;
}

test('a daemon whose secrets are in files works, and holds them nowhere where others look', async () => {
  await using lane = await ground.lane('secrets', 5);
  const port = await freePort();
  const saw = await tellingGpuTool();
  const { DATABASE_URL: _, ...env } = ground.env(lane, {
    DATABASE_URL_FILE: await secretFile('database-url', secretUrl()),
    HEALTH_TOKEN_FILE: 'health-token',
    CREDENTIALS_DIRECTORY: ground.folder.path,
    HEALTH_PORT: String(port),
    HEALTH_HOST: '0.0.0.0',
    AWS_SECRET_ACCESS_KEY: KEY,
    DEVICE: 'auto',
    LOG_LEVEL: 'trace',
    NOTIFY_SOCKET: ground.folder.at('notify'),
    PATH: `${ground.folder.path}:${process.env['PATH']}`,
  });
  await secretFile('health-token', TOKEN);
  await using daemon = ground.start(lane, { ...env, DATABASE_URL: '' });
  await daemon.says(/"msg":"polling"/);
  expect(daemon.words).toMatch(/ok +secrets +HEALTH_TOKEN_FILE: \S+health-token, DATABASE_URL_FILE: \S+database-url/);
  await ground.put('secrets.mp4');
  await lane.send(backendMessage('secrets', 'secrets.mp4'));
  await daemon.says(/"msg":"analysis stored"/);

  const ask = async (headers: Record<string, string>): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/statistics`, { headers });
    return [answer.status, await answer.text()];
  };
  expect((await ask({}))[0]).toBe(401);
  const [status, statistics] = await ask({ authorization: `Bearer ${TOKEN}` });
  expect(status).toBe(200);
  const environ = await readFile(`/proc/${daemon.pid}/environ`, 'utf8');
  for (const text of [daemon.words, environ, statistics]) {
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(PASSWORD);
  }
  const seen = await readFile(saw, 'utf8');
  expect(seen).toMatch(/^PATH=/m);
  for (const secret of [TOKEN, PASSWORD, KEY, 'DATABASE_URL']) expect(seen).not.toContain(secret);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
});

test('the commands read the same files, and say what is wrong with one without its content', async () => {
  const good = { DATABASE_URL_FILE: await secretFile('url', secretUrl()) };
  const done = await runVideoWorker(['db', 'status'], good);
  expect([done.code, JSON.parse(done.stdout)]).toMatchObject([EXIT_CODES.CLEAN, { pending: [] }]);
  const both = await runVideoWorker(['db', 'status'], { ...good, DATABASE_URL: secretUrl() });
  expect(both.code).toBe(EXIT_CODES.USAGE);
  expect(both.stderr).toContain('DATABASE_URL and DATABASE_URL_FILE are both set');
  const wrong = { DATABASE_URL_FILE: await secretFile('wrong', `mysql://u:${PASSWORD}@h/d`) };
  const refused = await runVideoWorker(['status'], wrong);
  expect(refused.code).toBe(EXIT_CODES.USAGE);
  expect(refused.stderr).toContain('(DATABASE_URL_FILE)');
  for (const { stdout, stderr } of [done, both, refused]) expect(`${stdout}${stderr}`).not.toContain(PASSWORD);
});
