import type { Tensor } from '../../inference/tensor.ts';
import { paddedCount } from '../../inference/batch.ts';
import type { BatchModel } from '../../inference/batch-model.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { frameBatch, groupBySize } from './frame-batch.ts';
import { frameFit, type FrameFit, type FrameTarget } from './frame-fit.ts';
import type { Stage, StageOptions } from '../stage.ts';

/** Source sizes whose inputs are kept; a worker meets few, but may meet many in its life. */
const MOST_SIZES = 64;

type Feeds = Readonly<Record<string, Tensor>>;
export type Outputs = Readonly<Record<string, Tensor>>;

interface PreparedDetector {
  readonly model: BatchModel;
  /** The model's picture, and the grey level around a frame in it. */
  readonly target: FrameTarget;
  /** The graph's further inputs, the same for every frame. */
  readonly settings?: Feeds;
  /** Detections per frame; the graph ran on `rows` of them, the last ones may be leftovers. */
  readonly read: (outputs: Outputs, frames: readonly Picture[], rows: number) => readonly (readonly Detection[])[];
}

/** A detector whose graph takes the lines of raw frames: those of one size share a run, and no pixel is touched here. */
export function preparedFrames(
  detector: PreparedDetector,
  options: StageOptions,
): Stage<Picture, readonly Detection[]> {
  const { model } = detector;
  const batch = frameBatch();
  const sizes = new Map<string, FrameFit>();
  const fitFor = (frame: Picture): FrameFit => {
    const key = `${frame.width}x${frame.height}`;
    const known = sizes.get(key);
    if (known !== undefined) return known;
    if (sizes.size >= MOST_SIZES) sizes.clear();
    const fit = frameFit(frame, detector.target);
    sizes.set(key, fit);
    return fit;
  };
  const run = async (frames: readonly Picture[]): Promise<readonly (readonly Detection[])[]> => {
    const results: (readonly Detection[])[] = frames.map(() => []);
    for (const group of groupBySize(frames)) {
      const [first, ...others] = group.flatMap((i) => frames[i] ?? []);
      if (first === undefined) continue;
      const rows = paddedCount(group.length, options.padTo);
      const fit = fitFor(first);
      const feeds = { frames: batch([first, ...others], fit.lines, rows), ...fit.feeds, ...detector.settings };
      const detections = detector.read(await model.run(rows, feeds, options.meter), [first, ...others], rows);
      group.forEach((place, i) => (results[place] = detections[i] ?? []));
    }
    return results;
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}
