import { cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { describeProblem } from '../../../src/packs/pack-problem.ts';
import { verifyPack } from '../../../src/packs/verify-pack.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

const DECODER = 'decoder_model_merged.onnx';
const GRAPH = 'prepared_action.onnx';

let folder: TemporaryFolder;
let ready: string;
let dir: string;
let elsewhere: string;
let cases = 0;

beforeAll(async () => {
  folder = await temporaryFolder('linked-pack');
  ready = await preparedPack('models/demo');
});

beforeEach(async () => {
  dir = folder.at(`case-${++cases}`);
  elsewhere = folder.at(`elsewhere-${cases}`);
  await mkdir(elsewhere);
  await cp(ready, dir, { recursive: true });
});

afterAll(() => folder.remove());

/** Moves a file of the pack into another folder, and leaves a link. */
async function linkOut(name: string, to = elsewhere): Promise<void> {
  await rename(join(dir, name), join(to, name));
  await symlink(join(to, name), join(dir, name));
}

const problems = async (pack = dir): Promise<readonly string[]> =>
  (await verifyPack(await loadPack(pack), { hash: true })).map(describeProblem);

test('weights that lie outside behind a link are named, with what to do', async () => {
  await linkOut(DECODER);
  expect(await problems()).toEqual([
    `${GRAPH}: external data ${DECODER}: expected a file in ${dir} or below (copy the pack whole, or link its folder), found a link out of it to ${join(elsewhere, DECODER)}`,
  ]);
});

test('a graph and its weights may be links into one folder, and into two only where the weights stay', async () => {
  await linkOut(GRAPH);
  expect(await problems()).toEqual([]);
  const third = folder.at(`third-${cases}`);
  await mkdir(third);
  await linkOut(DECODER, third);
  expect(await problems()).toEqual([expect.stringMatching(/ found a link out of it to .*third-\d+\/decoder/)]);
});

test('a pack of links into one folder is in order', async () => {
  for (const name of await readdir(dir)) await linkOut(name);
  expect(await problems()).toEqual([]);
});

test('a link to the folder is in order', async () => {
  const link = folder.at(`link-${cases}`);
  await symlink(dir, link);
  expect(await problems(link)).toEqual([]);
});

test("links inside the folder are in order, such as those of Kubernetes' volumes", async () => {
  const version = join(dir, '..2026_01_01');
  await mkdir(version);
  for (const name of await readdir(ready)) {
    await rename(join(dir, name), join(version, name));
    await symlink(join('..data', name), join(dir, name));
  }
  await symlink('..2026_01_01', join(dir, '..data'));
  expect(await problems()).toEqual([]);
});
