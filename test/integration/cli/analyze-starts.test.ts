import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeMedia } from '../../harness/media.ts';
import { runVideoWorker } from '../../harness/operator-command.ts';

let directory: string;
let video: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starts-'));
  video = join(directory, 'short.mp4');
  await makeMedia(['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=4:duration=0.5', video]);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The tool of this machine, which leaves an empty file for each of its starts: a tool may write no others. */
async function counted(tool: 'ffmpeg' | 'ffprobe'): Promise<string> {
  const [script, starts] = [join(directory, tool), join(directory, 'starts')];
  await mkdir(starts, { recursive: true });
  await writeFile(script, `#!/bin/sh\n: > ${starts}/${tool}.$$\nexec ${tool} "$@"\n`, { mode: 0o755 });
  return script;
}

test('analyze starts ffprobe once and ffmpeg once', async () => {
  const tools = { FFMPEG_PATH: await counted('ffmpeg'), FFPROBE_PATH: await counted('ffprobe') };
  // To try the sandbox takes starts of its own, and in it nothing could be counted.
  const env = { ...tools, DECODER_SANDBOX: 'off', SCENE: 'off' };
  expect(await runVideoWorker(['analyze', video], env)).toMatchObject({ code: 0 });
  const starts = await readdir(join(directory, 'starts'));
  expect(starts).toHaveLength(2);
  expect(new Set(starts.map((name) => name.split('.')[0]))).toEqual(new Set(['ffmpeg', 'ffprobe']));
});

test('analyze refuses zones that are none before it opens a video or a model', async () => {
  const zones = join(directory, 'zones.json');
  const missing = join(directory, 'no-pack');
  await writeFile(zones, '{ "zones": 3 }');
  const env = { ZONES_FILE: zones, SCENE: 'off', MODEL_PACK: missing };
  const broken = await runVideoWorker(['analyze', video, '--pack', missing], env);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain(`zones file ${zones} is not valid`);
  await rm(zones);
  const absent = await runVideoWorker(['analyze', video, '--pack', missing], env);
  expect(absent.code).toBe(1);
  expect(absent.stderr).toContain(`CONFIG_INVALID: zones file ${zones} cannot be read`);
});

test.each(['FFMPEG_PATH', 'FFPROBE_PATH'])(
  'analyze names a program that is not the one that %s asks for',
  async (name) => {
    const { code, stderr } = await runVideoWorker(['analyze', video], { [name]: '/bin/true', SCENE: 'off' });
    expect(code).toBe(3);
    expect(stderr).toContain('FFMPEG_MISSING: /bin/true does not answer -version');
  },
);
