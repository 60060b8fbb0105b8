import { InferenceSession } from 'onnxruntime-node';
import { cropFeeds, type Crop } from '../../src/chain/crop-feeds.ts';
import { GraphBuilder } from '../../src/graphs/onnx/graph-builder.ts';
import { addCrops, AFFINE_ROUNDING, RESIZE_ROUNDING, type CropOptions } from '../../src/graphs/prepare/crop-graph.ts';
import type { FaceBodyPair } from '../../src/chain/model-chain.ts';
import { bodyArea, type ClassedBox } from '../../src/vision/body-crop.ts';
import { letterboxSource } from '../../src/vision/crop-source.ts';
import { pixelWindow } from '../../src/vision/crop.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { isLit } from '../oracle/body-crop.ts';
import { bitsOf } from './differing-bits.ts';

export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
export const FACE_BODY = { width: 224, height: 224 } as const;
export const PERSON = { width: 192, height: 256 } as const;

const OPTIONS: Readonly<Record<'ageGender' | 'affine' | 'resize', CropOptions>> = {
  ageGender: { ...FACE_BODY, ...IMAGENET, parts: 2, rounding: RESIZE_ROUNDING, blanks: true, dtype: 'float32' },
  affine: { ...PERSON, ...IMAGENET, parts: 1, rounding: AFFINE_ROUNDING, blanks: false, dtype: 'float32' },
  resize: { ...PERSON, ...IMAGENET, parts: 1, rounding: RESIZE_ROUNDING, blanks: false, dtype: 'float32' },
};

/** What a prepared graph gives its model: the crops' tensor, computed by the operators alone. */
export interface CropGraph {
  run(crops: readonly (Crop | null)[]): Promise<Float32Array | Uint16Array>;
  release(): Promise<void>;
}

export async function openCropGraph(
  kind: keyof typeof OPTIONS,
  dtype: CropOptions['dtype'] = 'float32',
): Promise<CropGraph> {
  const options = { ...OPTIONS[kind], dtype };
  const graph = new GraphBuilder('crops');
  const { width, height, parts, blanks } = options;
  graph.output(addCrops(graph, options), 'picture', dtype, ['batch', 3 * parts, height, width]);
  const session = await InferenceSession.create(graph.toBytes(), { intraOpNumThreads: 1 });
  const feeds = cropFeeds(options, blanks);
  return {
    run: async (crops) => {
      const { data } = (await session.run(feeds(crops)))['picture']!;
      // Float16Array or, in older bindings, its bits: compared as bits either way.
      return data instanceof Float32Array ? data : bitsOf(data as unknown as Float32Array);
    },
    release: () => session.release(),
  };
}

/** Face and body of one row, as the prepared stage asks for them. */
export function rowCrops(
  frame: Picture,
  detections: readonly ClassedBox[],
  pair: FaceBodyPair,
): readonly (Crop | null)[] {
  const face = pair.face === null ? null : pixelWindow(frame, detections[pair.face]!.box);
  const body = pair.person === null ? null : bodyArea(frame, detections, pair.person, { isLit });
  return [face === null ? null : { window: face, blanks: [] }, body].map((area) =>
    area === null ? null : { frame, source: letterboxSource(area, FACE_BODY) },
  );
}
