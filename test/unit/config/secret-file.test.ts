import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/config.ts';
import { secretFileOf } from '../../../src/config/secret-file.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const SECRET = 'hunter2-and-more-of-it';
const URL_WITH_SECRET = `postgres://worker:${SECRET}@db:5432/video`;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('secret-file');
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

function file(name: string, content: string | Buffer): string {
  writeFileSync(folder.at(name), content);
  return folder.at(name);
}

function messageOf(env: Record<string, string>): string {
  try {
    loadConfig(env, { needs: ['database'] });
  } catch (error) {
    if (error instanceof Failure && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return '';
}

describe('a secret from a file', () => {
  test.each([
    ['without the end of its line', `${URL_WITH_SECRET}\n`],
    ['as an editor of Windows leaves it', `\uFEFF${URL_WITH_SECRET}\r\n`],
    ['without a line end', URL_WITH_SECRET],
  ])('is read %s, and leaves the environment as it is', (name, content) => {
    const env = { DATABASE_URL_FILE: file(name, content), HEALTH_TOKEN_FILE: file('token', `${SECRET}\n`) };
    const before = { ...env };
    const config = loadConfig(env, { needs: ['database'] });
    expect(config.database.url).toBe(URL_WITH_SECRET);
    expect(config.health.token).toBe(SECRET);
    expect(env).toEqual(before);
  });

  test('is one of the credentials of systemd where its path is relative', () => {
    file('database-url', URL_WITH_SECRET);
    const env = { DATABASE_URL_FILE: 'database-url', CREDENTIALS_DIRECTORY: folder.path };
    expect(loadConfig(env, { needs: ['database'] }).database.url).toBe(URL_WITH_SECRET);
    expect(secretFileOf('DATABASE_URL', env)).toEqual({
      variable: 'DATABASE_URL_FILE',
      path: folder.at('database-url'),
    });
    expect(secretFileOf('DATABASE_URL', { DATABASE_URL_FILE: ' ' })).toBeNull();
  });

  test('beside the variable is refused, and an empty variable is none', () => {
    const DATABASE_URL_FILE = file('both', URL_WITH_SECRET);
    const message = messageOf({ DATABASE_URL: URL_WITH_SECRET, DATABASE_URL_FILE });
    expect(message).toContain('DATABASE_URL and DATABASE_URL_FILE are both set');
    expect(message).not.toContain('not set');
    expect(messageOf({ DATABASE_URL: ' ', DATABASE_URL_FILE })).toBe('');
    expect(messageOf({ DATABASE_URL: URL_WITH_SECRET, DATABASE_URL_FILE: '' })).toBe('');
  });

  test.each([
    ['is not there', () => folder.at('absent'), /cannot be read \(ENOENT\): there is no such file/],
    ['is a folder', () => (mkdirSync(folder.at('a-folder')), folder.at('a-folder')), /is a folder: name the file/],
    ['is empty', () => file('empty', '\n'), /is empty/],
    ['is large', () => file('large', `${SECRET}${'x'.repeat(8_200)}`), /is larger than 8192 bytes/],
    ['has two lines', () => file('lines', `${URL_WITH_SECRET}\n${SECRET}\n`), /holds more than one line/],
    ['is no text', () => file('bytes', Buffer.from([0xff, 0xfe, 0x41])), /is not text/],
    ['is a pipe that nobody writes to', makePipe, /is not a regular file/],
    ['holds something else', () => file('else', `mysql://root:${SECRET}@db/x`), /holds is wrong: it must be postgres:/],
  ])('that %s is told with variable and file, and without its content', (_, make, reason) => {
    const path = make();
    const message = messageOf({ DATABASE_URL_FILE: path });
    expect(message).toMatch(reason);
    expect(message).toContain(`${path} (DATABASE_URL_FILE)`);
    expect(message).not.toContain(SECRET);
    expect(message).not.toContain('is not set');
    expect(message.split('\n')).toHaveLength(2);
  });

  test('that cannot be read is no matter to a command that has no use for it', () => {
    const env = { DATABASE_URL_FILE: folder.at('of-the-service'), HEALTH_TOKEN_FILE: 'health-token' };
    for (const needs of [[], ['queue'], ['models']] as const) {
      const { database, health } = loadConfig(
        { ...env, SQS_QUEUE_URL: 'http://q', MODEL_PACK: '/p', HIGHLIGHT_ACTIONS: 'off' },
        { needs },
      );
      expect([database.url, health.token]).toEqual([null, null]);
    }
    expect(() => loadConfig(env, { needs: ['database'] })).toThrow(/DATABASE_URL_FILE\) cannot be read \(ENOENT\)/);
    expect(() => loadConfig(env, { needs: ['health'] })).toThrow(/HEALTH_TOKEN_FILE\) cannot be read \(ENOENT\)/);
  });

  test('that nobody named is mentioned where the secret is missing', () => {
    expect(messageOf({})).toMatch(/DATABASE_URL is not set: .*, or DATABASE_URL_FILE a file that holds it/);
  });
});

test("Prisma's own command line reads the same file", () => {
  const script = `import('./prisma.config.ts').then(({ default: found }) => console.log(found.datasource.url))`;
  const env = { PATH: process.env['PATH'], DATABASE_URL_FILE: file('prisma', `${URL_WITH_SECRET}\n`) };
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, args, { env, encoding: 'utf8' })).toBe(`${URL_WITH_SECRET}\n`);
});

test('no form of a broken database URL or token is printed', () => {
  for (const DATABASE_URL of [
    `postgres://u:${SECRET}`,
    SECRET,
    `postgres//u:${SECRET}@db/x`,
    `mysql://u:${SECRET}@db`,
  ]) {
    expect(messageOf({ DATABASE_URL })).toContain('DATABASE_URL is "');
    expect(messageOf({ DATABASE_URL })).not.toContain(SECRET);
  }
  const message = messageOf({ DATABASE_URL: URL_WITH_SECRET, HEALTH_TOKEN: `${SECRET} `.repeat(2) });
  expect(message).toContain('HEALTH_TOKEN is "***": it must be 16 to 512 printable characters');
  expect(message).not.toContain(SECRET);
});

function makePipe(): string {
  execFileSync('mkfifo', [folder.at('pipe')]);
  return folder.at('pipe');
}
