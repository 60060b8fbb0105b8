import { posix } from 'node:path';
import type { GraphBuilder } from '../graphs/onnx/graph-builder.ts';
import { readOnnx, type OnnxModel } from '../graphs/onnx/onnx-model.ts';
import { ageGenderGraph } from '../graphs/prepare/age-gender-graph.ts';
import { detrGraph } from '../graphs/prepare/detr-graph.ts';
import { orientationGraph } from '../graphs/prepare/orientation-graph.ts';
import { visionEncoderGraph } from '../graphs/prepare/vision-encoder-graph.ts';
import { yolov8Graph } from '../graphs/prepare/yolov8-graph.ts';
import type { Pack } from '../packs/load-pack.ts';
import { officialModel, type PackFile, type PackManifest, type SingleStage } from '../packs/pack-manifest.ts';

/** A graph that was composed, and the files beside it that hold weights of it. */
export interface ComposedGraph {
  readonly graph: GraphBuilder;
  readonly bytes: Uint8Array;
  readonly externalData: readonly PackFile[];
}

/** A stage that stays as it is. */
export interface NotComposed {
  readonly reason: string;
}

/** Composes one stage's graph; `dataFolder` is where the model's external weights lie, seen from the composed file. */
type Compose = (model: OnnxModel, manifest: PackManifest, dataFolder: string) => GraphBuilder;

/** Per stage what composes it, by the adapter that the manifest names; an adapter that is not here stays as it is. */
const COMPOSERS: Readonly<Record<SingleStage, Readonly<Partial<Record<string, Compose>>>>> = {
  detection: {
    yolov8: (model, { detection }, dataFolder) => {
      if (detection.adapter !== 'yolov8') throw new Error(`adapter ${detection.adapter} is composed as yolov8`);
      return yolov8Graph(model, detection, { dataFolder });
    },
    detr: (model, { detection }, dataFolder) => {
      if (detection.adapter !== 'detr') throw new Error(`adapter ${detection.adapter} is composed as detr`);
      return detrGraph(model, detection, { dataFolder });
    },
  },
  ageGender: { mivolo: (model, { ageGender }, dataFolder) => ageGenderGraph(model, ageGender, { dataFolder }) },
  orientation: { mebow: (model, { orientation }, dataFolder) => orientationGraph(model, orientation, { dataFolder }) },
  visionEncoder: {
    fastvlm: (model, { language }, dataFolder) => visionEncoderGraph(model, language, { dataFolder }),
  },
};

/** Composes one stage's graph, where its adapter has one. */
export async function composeStage(raw: Pack, stage: SingleStage): Promise<ComposedGraph | NotComposed> {
  const { adapter, model } = officialModel(raw.manifest, stage);
  const compose = COMPOSERS[stage][adapter];
  if (compose === undefined) return { reason: `no graph is composed for adapter ${adapter}` };
  const graph = compose(await readOnnx(raw.filePath(model.file)), raw.manifest, dataFolder(model.file));
  return { graph, bytes: graph.toBytes(), externalData: model.externalData ?? [] };
}

/** Folder of a file of the pack, seen from the composed files, which lie beside the manifest; '' for the same. */
export function dataFolder(file: PackFile): string {
  const folder = posix.dirname(posix.normalize(file.path));
  return folder === '.' ? '' : folder;
}
