import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { serveThread } from '../../../src/inference/thread/serve-thread.ts';
import { pictureIn } from '../../../src/chain/shared-picture.ts';
import type { VisionMethods } from '../../../src/chain/threads.ts';

/** What the fixture is asked to do with a frame; `gate` says when it goes on, and what it has seen. */
export interface FixtureAsk {
  readonly how: 'read' | 'fail' | 'die';
  /** Two numbers: 1 in the first lets it go on; it writes 1 into the second when it has begun. */
  readonly gate: Int32Array;
}

/** A model thread whose answers are the first bytes of the frame, read before and after a gate; it can fail and die. */
await serveThread<VisionMethods>(async (options) => {
  const { name } = options as { readonly name: number };
  const meter = { ...stageMeter(), items: name };
  return {
    handlers: {
      answer: ({ frame, ask }) => {
        const [{ how, gate }] = ask as readonly [FixtureAsk];
        const { pixels } = pictureIn(frame);
        const before = pixels[0];
        Atomics.store(gate, 1, 1);
        Atomics.notify(gate, 1);
        Atomics.wait(gate, 0, 0);
        if (how === 'die') {
          setImmediate(() => {
            throw new Error('out of the blue');
          });
        }
        if (how === 'fail') throw new Error('no answer');
        return { name, before, after: pixels[0] };
      },
      difference: () => 0,
      jpeg: ({ frame }) => Uint8Array.from(pictureIn(frame).pixels),
      meters: () => ({ detection: meter }),
      lower: () => undefined,
    },
    close: () => Promise.resolve(),
  };
});
