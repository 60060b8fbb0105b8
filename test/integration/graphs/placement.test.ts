import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { loadPack, packModels } from '../../../src/packs/load-pack.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import { placeGraph } from '../../../src/graphs/placement/graph-placement.ts';
import { modelsReportLines, verifyModels } from '../../../src/preparation/verify-models.ts';
import { writeDetrPack } from '../../harness/detr-pack.ts';
import { exportTest } from '../../harness/export-test.ts';
import { tinyExport } from '../../harness/tiny-export.ts';
import { loadStreet, streetTest } from '../chain/street-pack.ts';
import { at, writeTinyPack } from '../packs/tiny-pack.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

async function offGpu(pack: Pack): Promise<readonly string[]> {
  const found: string[] = [];
  for (const model of packModels(pack.manifest)) {
    const placement = await placeGraph(pack.filePath(model.spec.file), {
      field: model.field,
      file: model.spec.file.path,
    });
    expect(placement.counts.cuda).toBeGreaterThan(0);
    found.push(...placement.offGpu.map(({ node, reason }) => `${placement.field}: ${node}: ${reason}`));
  }
  return found;
}

test('every node of the demo pack runs on the GPU, but for shapes', async () => {
  expect(await offGpu(await loadPack('models/demo'))).toEqual([]);
});

test('nor does preparing it bring a node that does not', async () => {
  const pack = await loadPack(await preparedPack('models/demo'));
  expect(Object.keys(pack.manifest.prepared ?? {})).toContain('detection');
  expect(await offGpu(pack)).toEqual([]);
});

describe.each(['fp32', 'fp16'])(
  'every node of the official architectures, scaled down, in %s runs on the GPU',
  (precision) => {
    exportTest(
      'as exported',
      async () => {
        expect(await offGpu(await loadPack(join(await tinyExport(), precision)))).toEqual([]);
      },
      300_000,
    );

    exportTest(
      'and prepared',
      async () => {
        const dir = await preparedPack(join(await tinyExport(), precision));
        expect(await offGpu(await loadPack(dir))).toEqual([]);
      },
      300_000,
    );
  },
);

streetTest('every node of the street pack runs on the GPU, but for shapes', async () => {
  expect(await offGpu(await loadStreet())).toEqual([]);
});

test('every node of a detector of the DETR kind runs on the GPU', async () => {
  const { dir } = await writeDetrPack({ activation: 'softmax', letterboxFill: null });
  try {
    expect(await offGpu(await loadPack(dir))).toEqual([]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('verifying for CUDA names each node that would run on the CPU, and needs no GPU for it', async () => {
  const pack = await writeTinyPack();
  try {
    const graph = new GraphBuilder('orientation');
    const input = graph.input('input', 'float32', ['n', 3, 8, 6]);
    const flat = graph.node('Reshape', [graph.node('Hardmax', [input]), graph.ints([0, 144])]);
    const part = graph.node('Slice', [flat, graph.ints([0]), graph.ints([72]), graph.ints([1])]);
    graph.output(part, 'output', 'float32', ['n', 72]);
    const bytes = graph.toBytes();
    await writeFile(join(pack.dir, 'orientation.onnx'), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    Object.assign(at(pack.manifest, 'orientation', 'model', 'file'), { sha256, bytes: bytes.length });
    await pack.save();
    const report = await verifyModels(pack.dir, { device: 'cuda' });
    expect(report).toMatchObject({ ok: false, problems: [] });
    const lines = modelsReportLines(report);
    expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([
      'FAIL orientation.model on CUDA: orientation.onnx: 3 nodes, 0 computing shapes on the CPU, 0 folded, 1 not on the GPU',
      'FAIL   Hardmax:hardmax_0 (Hardmax) would run on the CPU: the CUDA provider has no such operator',
    ]);
    expect(lines).toContain('      by table, not by a run: ONNX Runtime docs/OperatorKernels.md at 004b79eda305');
    expect(lines.at(-1)).toMatch(/^(ok {3}CUDA provider: ran|skip CUDA provider: no GPU here to try it on: )/);
    expect(await verifyModels(pack.dir, { device: 'cpu' })).toMatchObject({ ok: true, placements: [], cuda: null });
  } finally {
    await rm(pack.dir, { recursive: true });
  }
});
