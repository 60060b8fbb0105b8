import { z } from 'zod';

const differ = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A file of the pack: path below the pack's files folder, with what it must be. */
const file = z.strictObject({
  path: z.string().min(1),
  sha256,
  bytes: z.int().positive(),
});

const dtype = z.enum(['float32', 'float16', 'float64', 'uint8', 'int32', 'int64', 'bool']);

const tensor = z.strictObject({
  name: z.string().min(1),
  dtype,
  /** A number is a fixed size, a string the name of a dynamic axis; empty for a scalar. */
  shape: z.array(z.union([z.int().positive(), z.string()])),
});

const model = z.strictObject({
  file,
  /** Weights that the graph keeps outside its own file, for models over protobuf's 2 GB. */
  externalData: z.array(file).optional(),
  opset: z.int().positive(),
  inputs: z.array(tensor).min(1),
  outputs: z.array(tensor).min(1),
});

const origin = { origin: z.string(), licence: z.string() };
/** What a detector can tell the chain. */
const seen = z.enum(['person', 'face']);
const rgb = z.tuple([z.number(), z.number(), z.number()]);

/** Adapter `yolov8`: letterboxed RGB 0..1 in, cx,cy,w,h and one score per class out. */
const yolov8 = z.strictObject({
  adapter: z.literal('yolov8'),
  ...origin,
  model,
  classes: z.array(seen).min(1),
  letterboxFill: z.int().min(0).max(255),
  confidence: z.number().min(0).max(1),
  iou: z.number().min(0).max(1),
  maxDetections: z.int().positive(),
});

/**
 * Adapter `detr`: normalised RGB in, `logits` and `pred_boxes` (cx, cy, w, h as shares of the input) out, one query per
 * object. A pack without faces is fine: age and gender are then read from bodies alone.
 */
const detr = z
  .strictObject({
    adapter: z.literal('detr'),
    ...origin,
    model,
    mean: rgb,
    std: rgb,
    /** Grey level around the fitted picture; null: the picture is stretched to the input. */
    letterboxFill: z.int().min(0).max(255).nullable(),
    /** `sigmoid`: each column is a claim of its own; `softmax`: they compete and the last column is "nothing". */
    activation: z.enum(['sigmoid', 'softmax']),
    /** Columns of the logits, with the model's names for them, and what the chain takes them for. */
    classes: z
      .array(z.strictObject({ name: z.string().min(1), columns: z.array(z.int().nonnegative()).min(1), as: seen }))
      .min(1)
      .refine((classes) => classes.some((entry) => entry.as === 'person'), 'one class must be taken for person')
      .refine((classes) => differ(classes.flatMap((entry) => entry.columns)), 'a column may be named once'),
    confidence: z.number().min(0).max(1),
    maxDetections: z.int().positive(),
  })
  .superRefine((spec, context) => {
    const shapeOf = (name: string): readonly (number | string)[] | undefined =>
      spec.model.outputs.find((out) => out.name === name)?.shape;
    const [columns, sides] = [shapeOf('logits')?.[2], shapeOf('pred_boxes')?.[2]];
    if (typeof columns !== 'number' || sides !== 4) {
      const message =
        'expected logits [batch, queries, columns] with a fixed number of columns and pred_boxes [batch, queries, 4]';
      context.addIssue({ code: 'custom', path: ['model', 'outputs'], message });
      return;
    }
    // The last column of competing ones means "nothing": it cannot be somebody.
    const last = spec.activation === 'softmax' ? columns - 2 : columns - 1;
    spec.classes.forEach((entry, index) => {
      if (entry.columns.every((column) => column <= last)) return;
      const message = `expected columns from 0 to ${last}, found ${entry.columns.join(', ')}`;
      context.addIssue({ code: 'custom', path: ['classes', index, 'columns'], message });
    });
  });

const detection = z.discriminatedUnion('adapter', [yolov8, detr]);

/** Adapter `mivolo`: face RGB then body RGB, age = x * (maxAge - minAge) + avgAge. */
const ageGender = z.strictObject({
  adapter: z.literal('mivolo'),
  ...origin,
  model,
  mean: rgb,
  std: rgb,
  minAge: z.number(),
  maxAge: z.number(),
  avgAge: z.number(),
});

/** Adapter `mebow`: softmax over equal bins of the circle. `affine` is the evaluation crop (aspect 3:4, times `scale`). */
const orientation = z.strictObject({
  adapter: z.literal('mebow'),
  ...origin,
  model,
  crop: z.enum(['affine', 'resize']),
  scale: z.number().positive(),
  mean: rgb,
  std: rgb,
  bins: z.int().positive(),
});

/** Adapter `fastvlm`: three graphs and a tokenizer. The image token stands for `imageTokens` positions. */
const language = z.strictObject({
  adapter: z.literal('fastvlm'),
  ...origin,
  visionEncoder: model,
  embedTokens: model,
  decoder: model,
  tokenizer: file,
  tokenizerConfig: file,
  imageSize: z.int().positive(),
  imageTokens: z.int().positive(),
  imageTokenId: z.int().nonnegative(),
  stopTokenIds: z.array(z.int().nonnegative()).min(1),
  // Each layer is two tensors of the decoder by name: a number that no model has would only fill the memory with names.
  kv: z.strictObject({
    layers: z.int().positive().max(1_000),
    heads: z.int().positive(),
    headSize: z.int().positive(),
  }),
  /** With `{system}` and `{question}` and one `<image>`. */
  template: z.string().includes('<image>').includes('{question}'),
  system: z.string(),
});

/** The closed vocabulary: each label with the definition that the prompt gives. */
const action = z.strictObject({
  mode: z.enum(['score', 'greedy']),
  /** `sum` (default): log-probability of the whole label; `length`: divided by its number of tokens. */
  normalisation: z.enum(['sum', 'length']).optional(),
  question: z.string().min(1),
  labels: z.array(z.string().trim().min(1)).min(2).refine(differ, 'labels must differ from each other'),
  maxNewTokens: z.int().positive(),
});

/** A graph that `models prepare` composed around official ones; `madeFrom`: what `originOf` gave then. */
const composed = model.extend({ madeFrom: sha256 });

/** The composed graphs: frames and a few numbers in, candidates and readings out. */
const graphs = z.strictObject({
  detection: composed.optional(),
  ageGender: composed.optional(),
  orientation: composed.optional(),
  visionEncoder: composed.optional(),
  /** From pictures to label scores, around the vision encoder and the decoder; it needs no other model. */
  action: composed.optional(),
});

/** What a stage means stays in the stage's own part; a stage without a graph here runs the plain way. */
const prepared = graphs.extend({
  /** Why stages have no graph though `models prepare` tried; absent where all have one, and in what earlier versions prepared. */
  notComposed: z.partialRecord(graphs.keyof(), z.string().min(1)).optional(),
});

const scene = z.strictObject({ question: z.string().min(1), maxNewTokens: z.int().positive() });

/**
 * `manifest.json` of a model pack. `filesRoot` is the folder of the files relative to the manifest (default: beside it).
 * Tensor names, shapes and element types are checked against the graphs before the first message is taken.
 */
export const packManifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string().min(1),
  description: z.string(),
  filesRoot: z.string().default('.'),
  detection,
  ageGender,
  orientation,
  language,
  action,
  /** Null: the pack cannot describe scenes. */
  scene: scene.nullable(),
  /** Absent in a pack that was not prepared. */
  prepared: prepared.optional(),
});

/** The stages that can have a prepared graph. */
export const PREPARED_STAGES = graphs.keyof().options;
export type PreparedStage = (typeof PREPARED_STAGES)[number];

/** The parts that name an adapter. */
export type AdaptedPart = 'detection' | 'ageGender' | 'orientation' | 'language';

/** The stages whose prepared graph stands for one official one. */
export type SingleStage = Exclude<PreparedStage, 'action'>;
export const SINGLE_STAGES = PREPARED_STAGES.filter((stage): stage is SingleStage => stage !== 'action');

/** The adapter and the official graph that a prepared one stands for. */
export function officialModel(
  manifest: PackManifest,
  stage: SingleStage,
): { readonly adapter: string; readonly model: ModelSpec } {
  const { language } = manifest;
  return stage === 'visionEncoder' ? { adapter: language.adapter, model: language.visionEncoder } : manifest[stage];
}

export type PackManifest = z.infer<typeof packManifestSchema>;
export type PackFile = z.infer<typeof file>;
export type ModelSpec = z.infer<typeof model>;
export type TensorSpec = z.infer<typeof tensor>;
export type ComposedSpec = z.infer<typeof composed>;
export type DetrSpec = z.infer<typeof detr>;
