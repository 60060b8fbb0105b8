import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Placement } from '../../bench/gpu/node-placement.ts';
import { tinyExport } from '../../harness/tiny-export.ts';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

interface PlacedGraph extends Placement {
  readonly pack: string;
  readonly graph: string;
}

/** Of the decoder, whose shapes change with the prompt: what computes them stays where they are, on the CPU. The action has it twice. */
const SHAPE_NODES: Readonly<Record<string, number>> = { 'language.decoder': 19, 'prepared.action': 2 * 19 + 11 };
const SHAPE_OPERATORS = ['Gather', 'Sub', 'Unsqueeze', 'Concat', 'Mul', 'Slice'];
const GRAPHS = ['detection', 'ageGender', 'orientation', 'visionEncoder', 'action'];

const pack = useTinyPack();

standInTest('ONNX Runtime puts every node on CUDA but those that compute shapes', async () => {
  const placed: PlacedGraph[] = [];
  for (const dir of [pack().prepared, join(await tinyExport(), 'fp32')]) {
    placed.push(...(await runOnStandIns<PlacedGraph>('test/bench/gpu-kit/host/placement.ts', ['cuda', dir])).lines);
  }
  const names = placed.map(({ graph }) => graph);
  expect(names.filter((name) => name.startsWith('prepared.'))).toEqual(GRAPHS.map((name) => `prepared.${name}`));
  expect(names.filter((name) => name === 'language.decoder')).toHaveLength(2);
  for (const { pack, graph, nodes, onCpu } of placed) {
    expect({ pack, graph, onCuda: (nodes['CUDAExecutionProvider'] ?? 0) > 0 }).toEqual({ pack, graph, onCuda: true });
    const operators = onCpu.map((node) => node.split(' ')[0] ?? '');
    const most = SHAPE_NODES[graph];
    if (most !== undefined) {
      expect(operators.length).toBeLessThanOrEqual(most);
      expect(SHAPE_OPERATORS).toEqual(expect.arrayContaining(operators));
    } else {
      expect({ pack, graph, onCpu }).toEqual({ pack, graph, onCpu: [] });
    }
  }
});
