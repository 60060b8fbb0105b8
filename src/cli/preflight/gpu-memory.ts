import { batchSizes } from '../../inference/batch.ts';

/** What decides how much of the GPU's memory the models take. */
export interface GpuModels {
  readonly pipelines: number;
  /** Most frames in one run of detection. */
  readonly detectionBatch: number;
  /** Most people in one run of age and gender, or of orientation. */
  readonly peopleBatch: number;
  /** Most people in one run of the action model. */
  readonly languageBatch: number;
  /** The vision-language model stands beside the action's own graph. A pack without that graph opens it in any case, and takes less than is counted. */
  readonly hasLocalScenes: boolean;
}

/** The official models in half precision, with batches of up to eight (docs/benchmarks.md, On a GPU). */
const MEASURED = { mib: 13_829, peopleBatch: 8 } as const;
/**
 * By what ONNX Runtime asks for on stand-ins for CUDA's libraries: a session of orientation and one of age and gender for so many people
 * (docs/benchmarks.md, GPU memory by size).
 */
const PEOPLE_MIB: readonly (readonly [people: number, mib: number])[] = [
  [1, 190],
  [8, 254],
  [16, 510],
  [32, 1_022],
  [64, 1_534],
];
/** Counted in the same way. */
const LOCAL_SCENES_MIB = 2_510;

/** What the official models take with these settings; detection and actions in batches of eight, as nobody has counted others. */
export function neededMib({ pipelines, peopleBatch, hasLocalScenes }: GpuModels): number {
  const people = peopleMib(peopleBatch) - peopleMib(MEASURED.peopleBatch);
  return pipelines * (MEASURED.mib + people + (hasLocalScenes ? LOCAL_SCENES_MIB : 0));
}

/** What to do where less is free: of the settings only those that still take something. */
export function memoryFix(models: GpuModels): string {
  const needed = neededMib(models);
  const alternatives: readonly (readonly [string, GpuModels])[] = [
    ['with PIPELINES=1', { ...models, pipelines: 1 }],
    [`with PEOPLE_BATCH_SIZE=${MEASURED.peopleBatch}`, { ...models, peopleBatch: MEASURED.peopleBatch }],
    ['without SCENE=local', { ...models, hasLocalScenes: false }],
  ];
  const less = alternatives
    .map(([how, others]) => [how, needed - neededMib(others)] as const)
    .filter(([, saved]) => saved > 0)
    .map(([how, saved]) => `; ${gib(saved)} less ${how}`)
    .join('');
  const lowered = [
    ['DETECTION_BATCH_SIZE', models.detectionBatch] as const,
    ['PEOPLE_BATCH_SIZE', models.peopleBatch] as const,
    ['LANGUAGE_BATCH_SIZE', models.languageBatch] as const,
  ]
    .filter(([, limit]) => limit > 1)
    .map(([name]) => name);
  const orLower = lowered.length === 0 ? '' : `, or lower ${lowered.join(' or ')}`;
  const pipelines = models.pipelines === 1 ? '' : ` in ${models.pipelines} pipelines`;
  return (
    `little memory is free: the official models${pipelines} take some ${gib(needed)} GiB with detection and actions in batches of 8${less}; ` +
    `batches that do not fit become smaller ones at the start. End other programs on this GPU${orLower}`
  );
}

/** A size that was not counted takes what the next larger one does. */
function peopleMib(limit: number): number {
  const mibOf = (size: number): number =>
    (PEOPLE_MIB.find(([people]) => people >= size) ?? PEOPLE_MIB.at(-1))?.[1] ?? 0;
  return batchSizes(limit).reduce((sum, size) => sum + mibOf(size), 0);
}

function gib(mib: number): string {
  return (mib / 1024).toFixed(1);
}
