import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { startMotoServer } from '../../harness/moto-server.ts';
import { Ownership, OWNERSHIP } from '../../harness/ownership.ts';
import { isRunning } from '../../harness/processes.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

/** A program in moto's place, which writes down its number first. */
async function program(folder: TemporaryFolder, lines: string): Promise<string> {
  const path = folder.at('moto_server');
  await writeFile(path, `#!/bin/sh\necho $$ >'${folder.at('pid')}'\n${lines}\n`, { mode: 0o755 });
  return path;
}

const startedIn = async (folder: TemporaryFolder): Promise<number> => Number(await readFile(folder.at('pid'), 'utf8'));

const SERVER = `require('node:http').createServer((_, response) => response.end()).listen(Number(process.argv.at(-1)), '127.0.0.1')`;

test('a server that does not answer in time is gone when the start rejects', async () => {
  await using folder = await temporaryFolder('moto');
  const file = await program(folder, 'exec sleep 600');
  await expect(startMotoServer(file, 1_000)).rejects.toThrow(/timeout/);
  expect(await isRunning(await startedIn(folder))).toBe(false);
});

test('a server that ends before it answers rejects with how it did', async () => {
  await using folder = await temporaryFolder('moto');
  const file = await program(folder, 'exit 7');
  await expect(startMotoServer(file)).rejects.toThrow(/ended with 7 before it answered/);
});

test('a server that nobody has ended is in the books, and they end it', async () => {
  await using folder = await temporaryFolder('moto');
  const file = await program(folder, `exec '${process.execPath}' -e "${SERVER}" -- "$@"`);
  const realm = globalThis as { [OWNERSHIP]?: Ownership };
  const ours = realm[OWNERSHIP];
  const books = new Ownership();
  realm[OWNERSHIP] = books;
  try {
    const { endpoint } = await startMotoServer(file);
    expect(await books.endLeft(null)).toEqual([`moto's server at ${endpoint}`]);
  } finally {
    if (ours !== undefined) realm[OWNERSHIP] = ours;
  }
  expect(await isRunning(await startedIn(folder))).toBe(false);
});
