import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFigure } from '../../models/demo-pack/scene/draw.ts';
import { figureOf } from '../../models/demo-pack/scene/figure.ts';
import { Canvas } from '../../models/demo-pack/scene/raster.ts';
import { HEIGHT, type Person, WIDTH } from '../../models/demo-pack/scene/scene.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { buildDemoPack } from '../../models/demo-pack/build.ts';
import { type Value, GraphBuilder, OPSET } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from '../../models/demo-pack/operators.ts';
import type { DetrSpec, PackManifest } from '../../src/packs/pack-manifest.ts';

/** Grey of the wall before which figures are found: it is the model's mean, so the wall becomes 0. */
const WALL = 128;
export const DETR_SIZE = 320;
const STRIPS = 4;
/** Columns of the logits: something else, person, and a last one that says "nothing" where columns compete. */
const COLUMNS = 3;

export type DetrChoice = Pick<DetrSpec, 'activation' | 'letterboxFill'>;

/**
 * A detector with the tensors of a DETR: four queries, each of which looks at its quarter of the width and answers with
 * the bounding box of what is not wall there, or with "nothing".
 */
function buildDetector(activation: DetrChoice['activation']): GraphBuilder {
  const graph = new GraphBuilder('tiny_detr');
  const ops = new Operators(graph);
  const size = DETR_SIZE;
  const width = size / STRIPS;
  const most = (value: Value, axis: number): Value => graph.node('ReduceMax', [value], { axes: [axis], keepdims: 0 });
  const pixels = graph.input('pixel_values', 'float32', ['batch', 3, size, size]);
  const contrast = most(graph.node('Abs', [pixels]), 1);
  const figure = graph.node('Cast', [graph.node('Greater', [contrast, graph.scalar(0.04)])], { to: 1 });
  const strips = graph.node('Reshape', [figure, graph.ints([0, size, STRIPS, width])]);
  const columns = most(strips, 1);
  const rows = graph.node('Transpose', [most(strips, 3)], { perm: [0, 2, 1] });
  /** First and last place of a figure in [batch, strips, length], as a share of the input. */
  const extent = (hit: Value, length: number, step: number): { centre: Value; span: Value } => {
    const offsets = graph.floats(
      Array.from({ length: STRIPS }, (_, strip) => strip * step),
      [STRIPS],
    );
    const ramp = (weight: (i: number) => number): Value =>
      most(
        ops.mul(
          hit,
          graph.floats(
            Array.from({ length }, (_, i) => weight(i)),
            [length],
          ),
        ),
        2,
      );
    const low = ops.sub(
      length,
      ramp((i) => length - i),
    );
    const high = ramp((i) => i + 1);
    const centre = ops.add(ops.mul(ops.add(low, high), 0.5), offsets);
    return { centre: ops.div(centre, size), span: ops.div(ops.sub(high, low), size) };
  };
  const x = extent(columns, width, width);
  const y = extent(rows, size, 0);
  const stack = (values: readonly Value[]): Value =>
    ops.concat(
      values.map((value) => graph.node('Unsqueeze', [value, graph.ints([2])])),
      2,
    );
  const person = ops.sub(ops.mul(most(columns, 2), 12), 6);
  const never = ops.sub(ops.mul(person, 0), 6);
  const nothing = activation === 'softmax' ? ops.sub(0, person) : never;
  graph.output(stack([never, person, nothing]), 'logits', 'float32', ['batch', STRIPS, COLUMNS]);
  graph.output(stack([x.centre, y.centre, x.span, y.span]), 'pred_boxes', 'float32', ['batch', STRIPS, 4]);
  return graph;
}

export interface DetrPack {
  readonly dir: string;
  readonly manifest: PackManifest & { readonly detection: DetrSpec };
}

/** The demo pack in a new folder, with the detector above in place of its own: it has no class for faces. */
export async function writeDetrPack(choice: DetrChoice): Promise<DetrPack> {
  const files = new Map(buildDemoPack());
  const graph = buildDetector(choice.activation);
  const bytes = graph.toBytes();
  const level = WALL / 255;
  const detection: DetrSpec = {
    adapter: 'detr',
    origin: 'test',
    licence: 'none',
    model: {
      file: { path: 'detr.onnx', sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length },
      opset: OPSET,
      inputs: graph.inputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
      outputs: graph.outputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    },
    mean: [level, level, level],
    std: [1, 1, 1],
    ...choice,
    classes: [{ name: 'pedestrian', columns: [1], as: 'person' }],
    confidence: 0.5,
    maxDetections: 100,
  };
  const demo = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as PackManifest;
  const manifest = { ...demo, name: 'detr', detection };
  files.delete('detector.onnx');
  files.set('detr.onnx', bytes);
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  const dir = await mkdtemp(join(tmpdir(), 'detr-pack-'));
  for (const [name, content] of files) await writeFile(join(dir, name), content);
  return { dir, manifest };
}

/** Figures of the demo scene before a wall that the detector sees through. */
export function pictureBeforeWall(people: readonly Person[]): Picture {
  const canvas = new Canvas(WIDTH, HEIGHT);
  canvas.pixels.fill(WALL);
  for (const person of people) drawFigure(canvas, figureOf(person));
  return { width: WIDTH, height: HEIGHT, pixels: Uint8Array.from(canvas.pixels) };
}
