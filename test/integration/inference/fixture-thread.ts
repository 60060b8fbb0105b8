import { Failure } from '../../../src/failure/failure.ts';
import { CONV_PROBE_MODEL } from '../../../src/inference/conv-probe-model.ts';
import { openSession, runConvProbe } from '../../../src/inference/providers.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { BatchQueue } from '../../../src/inference/thread/batch-queue.ts';
import { serveThread } from '../../../src/inference/thread/serve-thread.ts';
import type { FixtureMethods } from './fixture-methods.ts';

/** A thread that can be slow, fail and die on request. */
await serveThread<FixtureMethods>(async (options) => {
  const { fail } = options as { readonly fail: boolean };
  if (fail) {
    const details = { file: 'detector.onnx' };
    throw new Failure('PACK_BROKEN', 'detector.onnx: sha256: expected a, found b', { details });
  }
  const session = await openSession(CONV_PROBE_MODEL, { device: 'cpu', threads: 1 });
  const batches: number[][] = [];
  const queue = new BatchQueue();
  const submit = queue.stage<number, number>({
    limit: 4,
    meter: stageMeter(),
    run: async (items) => {
      batches.push([...items]);
      const bad = items.find((item) => item < 0);
      if (bad !== undefined) throw new Failure('CUDA_ERROR', `item ${bad}`, { cause: new Error('cudnn') });
      return items.map((item) => item * 10);
    },
  });
  return {
    handlers: {
      times10: ({ items }, { signal }) => Promise.all(items.map((item) => submit(item, signal))),
      batches: () => batches,
      block: ({ milliseconds }) => {
        const until = performance.now() + milliseconds;
        while (performance.now() < until);
        return milliseconds;
      },
      convolve: async () => {
        await runConvProbe(session);
        return 9;
      },
      reverse: ({ bytes }) => bytes.reverse(),
      bug: () => {
        throw new TypeError('a bug in a handler');
      },
      die: () => {
        setImmediate(() => {
          throw new Error('out of the blue');
        });
      },
    },
    close: () => session.release(),
  };
});
