import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Detection } from '../../src/chain/model-chain.ts';
import { openDetection } from '../../src/chain/detection/open-detection.ts';
import type { Stage } from '../../src/chain/stage.ts';
import { loadPack, type Pack } from '../../src/packs/load-pack.ts';
import { GraphBuilder, OPSET, type ElementType } from '../../src/graphs/onnx/graph-builder.ts';
import { parseOnnx, readOnnx } from '../../src/graphs/onnx/onnx-model.ts';
import type { ModelSpec } from '../../src/packs/pack-manifest.ts';
import { specOf } from '../../src/packs/spec-of.ts';
import { yolov8Graph } from '../../src/graphs/prepare/yolov8-graph.ts';
import { stageOptions } from './stage-options.ts';
import type { Picture } from '../../src/vision/picture.ts';

export type DetectionStage = Stage<Picture, readonly Detection[]>;

export interface DetectionStages {
  readonly plain: DetectionStage;
  readonly prepared: DetectionStage;
  readonly release: () => Promise<void>;
}

export const SIZE = 640;

/** A detector that looks at nothing and answers with the given [1, 4 + classes, anchors] for every frame. */
export function constantDetector(
  raw: Float32Array,
  shape: readonly number[],
  dtype: ElementType = 'float32',
  opset = OPSET,
): GraphBuilder {
  const graph = new GraphBuilder('constant_detector', { opset });
  const images = graph.input('images', dtype, ['batch', 3, SIZE, SIZE]);
  const first = graph.node('Slice', [images, graph.ints([0, 0, 0]), graph.ints([1, 1, 1]), graph.ints([1, 2, 3])]);
  const nothing = graph.cast(
    graph.node('Mul', [graph.node('Reshape', [first, graph.ints([-1, 1, 1])]), graph.constant(dtype, [0], [])]),
    dtype,
  );
  const values = graph.constant(dtype, raw, shape);
  graph.output(graph.node('Add', [values, nothing]), 'output0', dtype, ['batch', shape[1]!, shape[2]!]);
  return graph;
}

/** The demo pack with this detector, at the usual thresholds. */
export async function withDetector(detector: GraphBuilder): Promise<Pack> {
  const dir = await mkdtemp(join(tmpdir(), 'detector-'));
  const demo = await loadPack('models/demo');
  const model = await put(dir, 'detector.onnx', detector);
  return {
    ...demo,
    manifest: { ...demo.manifest, detection: { ...specOf(demo.manifest, 'detection', 'yolov8'), model } },
    filePath: (file) => join(dir, file.path),
  };
}

/** Both ways of running a pack's detector. */
export async function bothWays(pack: Pack, padTo: readonly number[] = []): Promise<DetectionStages> {
  const stages = {
    plain: await openDetection(pack, stageOptions({ padTo })),
    prepared: await preparedWay(pack, padTo),
  };
  return {
    ...stages,
    release: async () => {
      await stages.plain.release();
      await stages.prepared.release();
    },
  };
}

/** A pack's detector with the graph that is composed around it. */
export async function preparedWay(pack: Pack, padTo: readonly number[] = []): Promise<DetectionStage> {
  const dir = await mkdtemp(join(tmpdir(), 'prepared-'));
  const spec = specOf(pack.manifest, 'detection', 'yolov8');
  const composed = yolov8Graph(await readOnnx(pack.filePath(spec.model.file)), spec);
  const model = await put(dir, 'prepared_detection.onnx', composed);
  const prepared: Pack = {
    ...pack,
    manifest: { ...pack.manifest, prepared: { detection: { ...model, madeFrom: spec.model.file.sha256 } } },
    filePath: (file) => join(dir, file.path),
  };
  return await openDetection(prepared, stageOptions({ padTo }));
}

async function put(dir: string, path: string, graph: GraphBuilder): Promise<ModelSpec> {
  const bytes = graph.toBytes();
  parseOnnx(bytes, path);
  await writeFile(join(dir, path), bytes);
  const tensors = (side: GraphBuilder['inputs']): ModelSpec['inputs'] =>
    side.map((tensor) => ({ ...tensor, shape: [...tensor.shape] }));
  return {
    file: { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length },
    opset: graph.opset,
    inputs: tensors(graph.inputs),
    outputs: tensors(graph.outputs),
  };
}
