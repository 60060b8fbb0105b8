import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderVideo } from '../../../models/demo-pack/scene/render.ts';
import type { SearchResult } from '../../../src/cli/tune/search.ts';
import { runVideoWorker } from '../../harness/operator-command.ts';

let directory: string;
let video: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tune-'));
  video = join(directory, 'short.mp4');
  await renderVideo(video, AbortSignal.timeout(60_000), 1, 8);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const tune = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runVideoWorker(['tune', '--pack', 'models/demo', ...args], {
    CONCURRENCY: '1',
    SCENE: 'off',
    WORK_DIR: join(directory, 'work'),
    ...env,
  });

test('a short search measures the settings in force, says how long it takes, and ends in time', async () => {
  const json = join(directory, 'out/tune.json');
  const { code, stdout, stderr } = await tune(['--video', video, '--seconds', '20', '--json', json]);
  expect([code, stderr]).toEqual([0, expect.stringContaining('this takes 20 s at most (--seconds)')]);
  expect(stderr).toContain('in force: the models run on cpu: ');
  expect(stdout).toMatch(/^settings .*frames\/s .*processor ms\/frame .*peak MiB/);
  const found = JSON.parse(await readFile(json, 'utf8')) as SearchResult & { start: unknown; env: readonly string[] };
  expect(found.trials[0]?.plan).toEqual(found.start);
  for (const { runs } of found.trials) {
    for (const run of runs) for (const figure of Object.values(run)) expect(figure).toBeGreaterThan(0);
  }
  for (const line of found.env) expect(stdout).toContain(`\n${line}\n`);
});

test('a search that has no time for a single run says so', async () => {
  const { code, stdout } = await tune(['--video', video, '--seconds', '1']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('nothing to set')]);
});

test.each([
  ['a time that is none', ['--seconds', 'soon'], 1, '--seconds is "soon": it must be a whole number from 1 to 86400'],
  ['a video that is not there', ['--video', '/nowhere.mp4'], 6, 'there is no file /nowhere.mp4'],
])('%s is refused at once', async (_name, args, exitCode, words) => {
  const { code, stderr } = await tune(args);
  expect([code, stderr]).toEqual([exitCode, expect.stringContaining(words)]);
});

test.each(['FFMPEG_PATH', 'FFPROBE_PATH'])(
  'a program that is not the one that %s asks for is named, and no fault is found with the video',
  async (name) => {
    const { code, stderr } = await tune(['--video', video, '--seconds', '20'], { [name]: '/bin/true' });
    expect([code, stderr]).toEqual([3, expect.stringContaining('FFMPEG_MISSING: /bin/true does not answer -version')]);
  },
);
