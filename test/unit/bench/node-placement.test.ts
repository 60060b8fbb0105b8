import { expect, test } from '@jest/globals';
import { floorMs, peakTeraflops } from '../../bench/gpu/arithmetic-floor.ts';
import { parsePlacement, placementOf } from '../../bench/gpu/node-placement.ts';

const AT = '2026-11-25 00:14:39.105063701 [V:onnxruntime:, session_state.cc:1380 VerifyEachNodeIsAssignedToAnEp] ';

test('nodes of a CUDA session that fell back to the CPU are named', () => {
  const log = [
    `${AT}Node placements`,
    `\u001b[0;93m${AT} Node(s) placed on [CUDAExecutionProvider]. Number of nodes: 2\u001b[m`,
    `${AT}  Conv (/model/conv)`,
    `${AT}  MatMul (/head/MatMul)`,
    `${AT} Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1`,
    `${AT}  Col2Im (/fold)`,
    '2026-11-25 [V:onnxruntime:, session_state.cc:186 CreateGraphInfo] SaveMLValueNameIndexMapping (of nothing)',
  ].join('\n');
  expect(parsePlacement(log)).toEqual({
    nodes: { CUDAExecutionProvider: 2, CPUExecutionProvider: 1 },
    onCpu: ['Col2Im (/fold)'],
  });
});

test('the log of the installed ONNX Runtime is understood', async () => {
  const placement = await placementOf('models/demo/orientation.onnx', { device: 'cpu', threads: 1 });
  expect(placement.nodes['CPUExecutionProvider']).toBeGreaterThan(5);
  expect(placement.onCpu).toEqual([]);
});

test('a graph that cannot be opened is named', async () => {
  await expect(placementOf('models/absent.onnx', { device: 'cpu' })).rejects.toThrow(/models\/absent\.onnx/);
});

test('the floor is operations over the peak of the GPU', () => {
  expect(peakTeraflops('NVIDIA A10G')).toBe(70);
  expect(peakTeraflops('NVIDIA H100 80GB HBM3')).toBe(989);
  expect(peakTeraflops('NVIDIA L4')).toBe(121);
  expect(peakTeraflops('NVIDIA L40S')).toBe(362);
  expect(peakTeraflops('Some other')).toBeNull();
  expect(floorMs('detection', 4, 100)).toBeCloseTo(10.296, 6);
});
