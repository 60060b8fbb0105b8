/**
 * Times what the official graphs gain from what the Node binding cannot set: provider options, inputs and outputs that stay on the GPU, CUDA
 * graphs. Without a GPU one graph is run on the CPU, which tries the calls alone.
 *
 *     KIT_DIR=... provider-options.ts RAW-PACK cuda|cpu BATCH [GRAPH...]        such as ageGender; all of them otherwise
 */

import { loadPack, type Pack } from '../../../../src/packs/load-pack.ts';
import type { ModelSpec, TensorSpec } from '../../../../src/packs/pack-manifest.ts';
import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { median, rounded } from '../../figures.ts';
import { type AxisSizes, type MadeTensor, makeTensor, type TensorPlace } from './graph-tensors.ts';
import { errorText, printLine } from './json-lines.ts';
import { type Handle, type OnnxRuntime, openOnnxRuntime } from './onnxruntime-c-api.ts';

interface Variant {
  readonly onGpu: boolean;
  readonly cuda: Readonly<Record<string, string>>;
}

const NHWC = { prefer_nhwc: '1' };
const HEURISTIC = { cudnn_conv_algo_search: 'HEURISTIC' };
const CUDA_GRAPH = { enable_cuda_graph: '1' };
const VARIANTS = {
  'as the binding runs it': { onGpu: false, cuda: {} },
  'heuristic search': { onGpu: true, cuda: HEURISTIC },
  NHWC: { onGpu: true, cuda: NHWC },
  'NHWC, heuristic search': { onGpu: true, cuda: { ...NHWC, ...HEURISTIC } },
  'NHWC, heuristic search, CUDA graph': { onGpu: true, cuda: { ...NHWC, ...HEURISTIC, ...CUDA_GRAPH } },
  'CUDA graph': { onGpu: true, cuda: CUDA_GRAPH },
} as const satisfies Readonly<Record<string, Variant>>;

type VariantName = keyof typeof VARIANTS;
type GraphName = 'detection' | 'visionEncoder' | 'decoder' | 'orientation' | 'ageGender';

const CONVOLUTION_VARIANTS: readonly VariantName[] = [
  'as the binding runs it',
  'heuristic search',
  'NHWC',
  'NHWC, heuristic search',
  'NHWC, heuristic search, CUDA graph',
];
/** What decides most comes first; the exhaustive search of the encoder takes longest and comes last. */
const CASES: readonly (readonly [GraphName, VariantName])[] = [
  ...CONVOLUTION_VARIANTS.map((variant) => ['detection', variant] as const),
  ['visionEncoder', 'NHWC, heuristic search'],
  ['visionEncoder', 'NHWC, heuristic search, CUDA graph'],
  ['visionEncoder', 'heuristic search'],
  ...CONVOLUTION_VARIANTS.map((variant) => ['orientation', variant] as const),
  ...CONVOLUTION_VARIANTS.map((variant) => ['ageGender', variant] as const),
  ['decoder', 'as the binding runs it'],
  ['decoder', 'CUDA graph'],
  ['visionEncoder', 'NHWC'],
  ['visionEncoder', 'as the binding runs it'],
];

/** Positions of the prompt before and after the picture. */
const [PREFIX, PROMPT] = [14, 101];
const WARM_UPS = 3;

const args = process.argv.slice(2);
requireArguments(args, 3, 'KIT_DIR=... provider-options.ts RAW-PACK cuda|cpu BATCH [GRAPH...]');
const [dir = '', deviceText, batchText, ...only] = args;
const device = deviceArgument(deviceText);
const [batch = 1] = countsArgument(batchText);
const rounds = device === 'cuda' ? 15 : 2;
const kitDir = process.env['KIT_DIR'];
if (kitDir === undefined) throw new Error('KIT_DIR is the folder of the kit, with koffi in ffi/node_modules');

const runtime = openOnnxRuntime(kitDir);
const pack = await loadPack(dir);
const graphs = graphsOf(pack);
const tokens = pack.manifest.language.imageTokens + PROMPT;
const axes: AxisSizes = { batch, tokens, past: PREFIX, past_and_tokens: tokens + PREFIX, positions: 1 };
const unknown = only.find((name) => !Object.hasOwn(graphs, name));
if (unknown !== undefined) throw new Error(`the graphs are ${Object.keys(graphs).join(', ')}, not ${unknown}`);
const cases = CASES.filter(([graph]) => only.length === 0 || only.includes(graph));
for (const [graph, variant] of device === 'cuda' ? cases : cases.slice(0, 1)) {
  const spec = graphs[graph];
  try {
    printLine({ graph, variant, batch, ...timeGraph(pack.filePath(spec.file), spec, VARIANTS[variant]) });
  } catch (error) {
    printLine({ graph, variant, batch, error: errorText(error, 500) });
  }
}
// At a natural end koffi closes the library while CUDA's provider still hangs on it, which crashes.
process.exit(0);

function graphsOf({ manifest }: Pack): Readonly<Record<GraphName, ModelSpec>> {
  return {
    detection: manifest.detection.model,
    visionEncoder: manifest.language.visionEncoder,
    decoder: manifest.language.decoder,
    orientation: manifest.orientation.model,
    ageGender: manifest.ageGender.model,
  };
}

/** Median and least milliseconds of a run, and what opening and the first run took. */
function timeGraph(path: string, spec: ModelSpec, variant: Variant): object {
  const options = runtime.sessionOptions(device === 'cuda' ? variant.cuda : null);
  try {
    const began = performance.now();
    const session = runtime.openSession(path, options);
    const openMs = Math.round(performance.now() - began);
    try {
      return { ...timeSession(session, spec, device === 'cuda' && variant.onGpu), openMs };
    } finally {
      runtime.release('Session', session);
    }
  } finally {
    runtime.release('SessionOptions', options);
  }
}

function timeSession(session: Handle<'Session'>, spec: ModelSpec, onGpu: boolean): object {
  const place: TensorPlace = { runtime, allocator: onGpu ? runtime.gpuAllocator(session) : null, axes };
  const binding = runtime.createBinding(session);
  const tensors: MadeTensor[] = [];
  const bind = (tensor: TensorSpec, into: OnnxRuntime['bindInput']): void => {
    const made = makeTensor(tensor, place);
    tensors.push(made);
    into(binding, tensor.name, made.value);
  };
  try {
    for (const input of spec.inputs) bind(input, runtime.bindInput);
    for (const output of spec.outputs) bind(output, runtime.bindOutput);
    const first = timeRun(session, binding);
    for (let i = 0; i < WARM_UPS; i++) runtime.run(session, binding);
    const times = Array.from({ length: rounds }, () => timeRun(session, binding));
    return { ms: rounded(median(times)), bestMs: rounded(Math.min(...times)), firstMs: Math.round(first) };
  } finally {
    runtime.release('IoBinding', binding);
    for (const { value } of tensors) runtime.release('Value', value);
  }
}

function timeRun(session: Handle<'Session'>, binding: Handle<'IoBinding'>): number {
  const started = performance.now();
  runtime.run(session, binding);
  return performance.now() - started;
}
