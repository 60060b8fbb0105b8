import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { checkBundle } from './check.ts';
import { stageBundle } from './stage.ts';

const USAGE = 'usage: scripts/make-bundle --out FILE.tar.gz [--pack DIR]... [--cuda all|provider] [--ffmpeg]';
const NAME = 'video-worker';
const root = resolve(import.meta.dirname, '../..');

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      pack: { type: 'string', multiple: true, default: [] },
      cuda: { type: 'string', default: 'none' },
      ffmpeg: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { out, cuda } = values;
  if (out === undefined || !/\.tar(\.gz)?$/.test(out)) {
    throw new Error(`--out must name a .tar or .tar.gz file; ${USAGE}`);
  }
  if (cuda !== 'none' && cuda !== 'all' && cuda !== 'provider') {
    throw new Error(`--cuda is all or provider; ${USAGE}`);
  }
  if (existsSync(out)) throw new Error(`${out} exists already`);
  const work = await mkdtemp(join(tmpdir(), 'bundle-'));
  try {
    const staged = join(work, 'staged', NAME);
    await mkdir(staged, { recursive: true });
    const contents = await stageBundle(staged, { root, packs: values.pack, cuda, ffmpeg: values.ffmpeg });
    await mkdir(dirname(resolve(out)), { recursive: true });
    // A file that is placed as a link keeps the user of this machine, who may be somebody else's where the bundle is unpacked.
    const owner = ['--owner=0', '--group=0', '--numeric-owner'];
    const from = ['--directory', join(work, 'staged'), NAME];
    await tar(['--create', '--auto-compress', ...owner, '--file', resolve(out), ...from]);
    await rm(join(work, 'staged'), { recursive: true });
    const [unpacked, empty] = [join(work, 'unpacked'), join(work, 'empty')];
    await mkdir(unpacked);
    await mkdir(empty);
    // What is checked is what was written: the archive, unpacked elsewhere.
    await tar(['--extract', '--file', resolve(out), '--directory', unpacked]);
    const check = await checkBundle(join(unpacked, NAME), empty);
    const { size } = await stat(out);
    console.log(JSON.stringify({ out, bytes: size, ...contents, check }, null, 2));
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function tar(args: readonly string[]): Promise<void> {
  await promisify(execFile)('tar', [...args], { timeout: 900_000 });
}

try {
  await main();
} catch (error) {
  console.error(`make-bundle: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
