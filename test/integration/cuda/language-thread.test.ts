import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { ChainFigures } from '../../bench/gpu-kit/host/chain-load.ts';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

const ARGS = ['cuda', 'small', '--batches', '2,2,2', '--loads', 'all:2', '--seconds', '0.2'];
const pack = useTinyPack();

type Line = Partial<ChainFigures> & { readonly error?: string };

async function runChain(dir: string): Promise<readonly Line[]> {
  return (await runOnStandIns<Line>('test/bench/gpu-kit/host/chain.ts', [dir, ...ARGS])).lines;
}

standInTest('without local scene texts the chain opens no model of the steps, and reads actions', async () => {
  const dir = join(pack().folder, 'changed');
  await cp(pack().prepared, dir, { recursive: true });
  // The script says that the files are verified: only who opens the model finds out.
  const steps = join(dir, 'embed_tokens.onnx');
  await writeFile(steps, new Uint8Array((await stat(steps)).size));
  const lines = await runChain(dir);
  expect(lines.map(({ error }) => error)).toEqual(lines.map(() => undefined));
  const read = lines.find(({ stages }) => stages !== undefined)?.stages?.['action'];
  expect(read?.runs).toBeGreaterThan(0);

  // Without the graph the steps are what is left.
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { readonly prepared: { action?: unknown } };
  delete manifest.prepared.action;
  await writeFile(path, JSON.stringify(manifest));
  expect((await runChain(dir)).map(({ error }) => error)).toEqual([expect.stringContaining('embed_tokens.onnx')]);
});
