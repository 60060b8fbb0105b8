import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import type { Ended } from '../harness/run-program.ts';

const dir = mkdtempSync(join(tmpdir(), 'prepare-e2e-'));
const video = join(dir, 'store.mp4');
const prepared = join(dir, 'packs', 'demo');

const videoWorker = (...args: readonly string[]): Promise<Ended> =>
  runVideoWorker(args, { WORK_DIR: join(dir, 'work') });

async function analyse(pack: string): Promise<VideoAnalysis> {
  const file = join(dir, 'analysis.json');
  const answer = await videoWorker('analyze', video, '--pack', pack, '--json', file);
  expect([answer.code, answer.stderr]).toEqual([0, expect.anything()]);
  return JSON.parse(readFileSync(file, 'utf8')) as VideoAnalysis;
}

beforeAll(() => renderVideo(video, AbortSignal.timeout(180_000), 2, 14));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('models prepare writes a pack that models verify finds in order', async () => {
  const answer = await videoWorker('models', 'prepare', 'models/demo', '--out', prepared);
  expect([answer.code, answer.stderr]).toEqual([0, '']);
  expect(answer.stdout).toContain('ok   detection: prepared_detection.onnx\n');
  const verified = await videoWorker('models', 'verify', '--pack', prepared);
  expect([verified.code, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toContain(
    'ok   prepared.detection: prepared_detection.onnx frames uint8[batch,height,width,3]',
  );
  expect(verified.stdout).not.toContain('FAIL');
});

test('the prepared pack analyses a video as the raw one does', async () => {
  const raw = await analyse('models/demo');
  const found = await analyse(prepared);
  expect(raw.tracks.length).toBeGreaterThan(2);
  // Batches differ from run to run, and with them the last bits of the language model's sums; so does the work folder.
  const settled = ({ tracks, frames, events, scenes }: VideoAnalysis): unknown =>
    JSON.parse(
      JSON.stringify({ tracks, frames, events, scenes }, (key, value: unknown) => {
        if (key === 'file') return undefined;
        return typeof value === 'number' ? Number(value.toFixed(3)) : value;
      }),
    );
  expect(settled(found)).toEqual(settled(raw));
  expect(found.pack).not.toEqual(raw.pack);
});

test('a pack that is prepared is prepared anew; a folder that is in use is refused on the command line', async () => {
  const again = join(dir, 'packs', 'again');
  expect(await videoWorker('models', 'prepare', prepared, '--out', again)).toMatchObject({ code: 0, stderr: '' });
  const manifest = (pack: string): string => readFileSync(join(pack, 'manifest.json'), 'utf8');
  expect(manifest(again)).toBe(manifest(prepared));
  const used = await videoWorker('models', 'prepare', 'models/demo', '--out', prepared);
  expect([used.code, used.stdout]).toEqual([1, '']);
  expect(used.stderr).toMatch(/CONFIG_INVALID: .*packs\/demo is not empty; name a folder that is not there yet/);
  expect(readdirSync(join(dir, 'packs')).toSorted()).toEqual(['again', 'demo']);
});
