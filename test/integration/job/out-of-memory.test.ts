import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { classifyOrtError } from '../../../src/failure/sources/onnxruntime.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { BatchQueue, type Submit } from '../../../src/inference/thread/batch-queue.ts';
import { fromWire, toWire } from '../../../src/inference/thread/wire-failure.ts';
import { next } from '../../harness/worker-events.ts';
import { createRig, type Rig } from '../worker/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await createRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** What ONNX Runtime says when the CUDA arena is exhausted, and when the driver is. */
const ARENA =
  "Non-zero status code returned while running Conv node. Name:'/model.0/conv/Conv' Status Message: /onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 3355443200";
const DRIVER =
  'Non-zero status code returned while running FusedConv node. Status Message: CUDA failure 2: out of memory ; GPU=0 ; hostname=gpu ; file=/onnxruntime/core/providers/cuda/cuda_allocator.cc ; line=73 ; expr=cudaMalloc((void**)&p, size);';

const MESSAGES = [
  ['arena', ARENA],
  ['driver', DRIVER],
] as const;

/** The queue of an inference thread whose graphics card holds so many items; the sizes of the runs are noted. */
function card(holds: number, text: string): { readonly submit: Submit<string, string>; readonly runs: number[] } {
  const runs: number[] = [];
  const submit = new BatchQueue().stage<string, string>({
    limit: 8,
    meter: stageMeter(),
    run: async (items) => {
      runs.push(items.length);
      if (items.length > holds) {
        throw classifyOrtError(new Error(text), { device: 'cuda', doing: 'running detector.onnx' });
      }
      return items.map((item) => `seen ${item}`);
    },
  });
  return { submit, runs };
}

test.each(MESSAGES)('%s: a batch that the GPU cannot hold is halved and the job goes on', async (_name, text) => {
  const { submit, runs } = card(2, text);
  const { worker, events } = rig.worker(async ({ job }, signal) => {
    const seen = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => submit(item, signal)));
    if (seen.join() !== 'seen a,seen b,seen c,seen d,seen e') throw new Error(`${job.key}: ${seen.join()}`);
    return { kind: 'ack', outcome: 'completed' };
  });
  await rig.send('video');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await deleted;
  expect(runs).toEqual([5, 3, 2, 1, 2]);
});

test.each(MESSAGES)(
  '%s: a single item that it cannot hold stops the worker, and the message goes back',
  async (_name, text) => {
    const { submit, runs } = card(0, text);
    const { worker, events } = rig.worker(
      async (_delivery, signal) => {
        try {
          await Promise.all(['a', 'b'].map((item) => submit(item, signal)));
        } catch (error) {
          // As it comes out of the thread.
          throw fromWire(toWire(error));
        }
        return { kind: 'ack', outcome: 'completed' };
      },
      { settings: { visibilitySeconds: 600 } },
    );
    await rig.send('video');
    const back = next(events, 'message:given-back');
    worker.start();
    expect(await back).toMatchObject({ afterSeconds: 0, why: 'CUDA_OUT_OF_MEMORY' });
    expect(await worker.stopped).toMatchObject({ failure: { code: 'CUDA_OUT_OF_MEMORY', class: 'system' } });
    expect(runs).toEqual([2, 1]);
  },
);
