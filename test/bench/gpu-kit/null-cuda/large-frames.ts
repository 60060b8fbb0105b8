/**
 * Opens a chain on the stand-ins, leaves next to no memory, and asks everything about frames of growing size: they need more than the
 * chain has warmed. Prints what failed and what the chain says of it.
 *
 *     large-frames.ts PACK
 */

import { createModelChain } from '../../../../src/chain/create-model-chain.ts';
import type { ModelChain } from '../../../../src/chain/model-chain.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { errorText, printLine } from '../host/json-lines.ts';
import { COUNTS_VARIABLE, readCounts } from './counts.ts';

const LEFT_BYTES = 1_000_000;
const FRAMES = 4;
const PEOPLE = 10;
const SIZES = [
  [640, 360],
  [1920, 1080],
  [3840, 2160],
] as const;
const { signal } = new AbortController();

const warnings: string[] = [];
const chain = await createModelChain({
  pack: await loadPack(process.argv[2] ?? ''),
  device: 'cuda',
  threads: { vision: 0, language: 0 },
  batch: { detection: 2, people: 4, language: 2 },
  localScenes: false,
  logger: { info: () => {}, warn: (_fields, text) => warnings.push(text) },
  verifyHashes: false,
});
const live = (): number => readCounts(process.env[COUNTS_VARIABLE] ?? '').liveBytes;
process.env['NULL_CUDA_MEMORY'] = String(live() + LEFT_BYTES);
printLine({ startBytes: live(), warnings: [...warnings] });
for (const [width, height] of SIZES) {
  const asked = await Promise.allSettled(Array.from({ length: FRAMES }, () => askAll(chain, width, height)));
  const failed = asked.flatMap((frame) => (frame.status === 'rejected' ? [errorText(frame.reason)] : []));
  printLine({ size: `${width}x${height}`, failed, warnings: [...warnings], liveBytes: live() });
}
await chain.close();

/** People who stand side by side, as high as the frame. */
async function askAll(models: ModelChain, width: number, height: number): Promise<void> {
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3)).fill(128);
  const handle = models.addFrame({ sample: 0, index: 0, t: 0, width, height, pixels, release: () => {} });
  const boxes = Array.from({ length: PEOPLE }, (_, person) => ({
    x1: (person * width) / PEOPLE,
    y1: 0,
    x2: ((person + 1) * width) / PEOPLE,
    y2: height,
  }));
  await models.detection(handle, signal);
  await models.orientation(handle, boxes, signal);
  const detections = boxes.map((box) => ({ class: 'person' as const, box, score: 1 }));
  const pairs = boxes.map((_, person) => ({ person, face: null }));
  await models.ageGender(handle, detections, pairs, signal);
  await models.action(handle, boxes.slice(0, 2), signal);
  models.releaseFrame(handle);
}
