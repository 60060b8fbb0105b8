import { basename } from 'node:path';
import { getEnvironmentData, isMainThread, threadId } from 'node:worker_threads';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { deviceClock, type DeviceClock } from './device-clock.ts';
import { deviceMs, type SimulatedGpu } from './device-times.ts';
import { joinRows, Recording, splitRows } from './recording.ts';
import { bytesOf, describeRun, type Feeds, rowNames } from './run-rows.ts';

/** What the threads of a process are told: to record what models answer, or to answer with what was recorded. */
export type SimulationOrder =
  | { readonly kind: 'record'; readonly folder: string }
  | {
      readonly kind: 'replay';
      readonly folder: string;
      readonly gpu: SimulatedGpu;
      readonly clock: SharedArrayBuffer;
      /** Two counters: rows asked for, rows found. */
      readonly rows: SharedArrayBuffer;
    };

export const ORDER = 'bench-host-order';

type Create = (path: string, options?: InferenceSession.SessionOptions) => Promise<InferenceSession>;
type Outputs = Readonly<Record<string, Tensor>>;

/**
 * Takes the place of ONNX Runtime's way to open a session in this thread, which is preloaded with this file: graphs are opened on the
 * CPU, whatever the device, and their runs recorded or answered.
 */
function takePlace(order: SimulationOrder): void {
  const native = InferenceSession.create.bind(InferenceSession) as Create;
  const onCpu: Create = (path) => native(path, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const create = order.kind === 'record' ? recordingSessions(order.folder, onCpu) : replayingSessions(order, onCpu);
  (InferenceSession as { create: unknown }).create = create;
}

function recordingSessions(folder: string, open: Create): Create {
  const recording = new Recording();
  process.once('exit', () => recording.write(folder, `${threadId}.rows`));
  return async (path) => {
    const graph = basename(path);
    const session = await open(path);
    const run = async (feeds: Feeds): Promise<Outputs> => {
      const { kind, rows } = describeRun(graph, feeds);
      const names = rowNames(kind, rows, feeds);
      const outputs = await session.run(feeds);
      splitRows(outputs, rows).forEach((row, i) => recording.keep(graph, names[i] ?? '', row));
      return outputs;
    };
    return sessionLike(session, run, () => session.release());
  };
}

function replayingSessions(order: SimulationOrder & { readonly kind: 'replay' }, open: Create): Create {
  const recording = Recording.read(order.folder);
  const counters = new Int32Array(order.rows);
  const device = deviceClock(order.clock);
  const upload = uploader();
  return async (path) => {
    const graph = basename(path);
    // Only for what it says of its tensors.
    const session = await open(path);
    await session.release();
    // Blocks, as a run of the native session does.
    const run = async (feeds: Feeds): Promise<Outputs> => {
      upload(feeds);
      return answer({ graph, recording, device, gpu: order.gpu, counters }, feeds);
    };
    return sessionLike(session, run, async () => {});
  };
}

interface Replay {
  readonly graph: string;
  readonly recording: Recording;
  readonly device: DeviceClock;
  readonly gpu: SimulatedGpu;
  readonly counters: Int32Array;
}

function answer({ graph, recording, device, gpu, counters }: Replay, feeds: Feeds): Outputs {
  const { kind, rows } = describeRun(graph, feeds);
  const before = recording.counts;
  const found = rowNames(kind, rows, feeds).map((name) => recording.find(graph, name));
  Atomics.add(counters, 0, recording.counts.asked - before.asked);
  Atomics.add(counters, 1, recording.counts.found - before.found);
  device.run(deviceMs(gpu, kind, rows));
  return joinRows(found);
}

/** Copies inputs as the processor does for a GPU, from pageable memory. */
function uploader(): (feeds: Feeds) => void {
  let pinned = new Uint8Array(0);
  return (feeds) => {
    for (const tensor of Object.values(feeds)) {
      const bytes = bytesOf(tensor.data as unknown as ArrayBufferView);
      if (pinned.length < bytes.length) pinned = new Uint8Array(bytes.length);
      pinned.set(bytes);
    }
  };
}

function sessionLike(
  session: InferenceSession,
  run: (feeds: Feeds) => Promise<Outputs>,
  release: () => Promise<void>,
): InferenceSession {
  const { inputNames, outputNames, inputMetadata, outputMetadata } = session;
  return { inputNames, outputNames, inputMetadata, outputMetadata, run, release } as unknown as InferenceSession;
}

const order = getEnvironmentData(ORDER) as SimulationOrder | undefined;
if (!isMainThread && order !== undefined) takePlace(order);
