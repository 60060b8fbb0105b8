import { openActions } from '../../src/chain/action/read-actions.ts';
import { openVisionLanguage } from '../../src/chain/fastvlm/vision-language.ts';
import type { ReadPictures } from '../../src/chain/language-stage.ts';
import type { ActionReading } from '../../src/chain/model-chain.ts';
import { openDescribe } from '../../src/chain/scene/describe.ts';
import type { ExecutionTarget } from '../../src/inference/providers.ts';
import type { StageMeter } from '../../src/inference/stage-meter.ts';
import type { Pack } from '../../src/packs/load-pack.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';

/** The vision-language model with both of its readings, as the language thread opens it. */
export interface FastVlm {
  readonly readActions: ReadPictures<ActionReading>;
  readonly describe: ReadPictures<string>;
  readonly release: () => Promise<void>;
}

export async function openFastVlm(
  pack: Pack,
  options: {
    readonly target: ExecutionTarget;
    readonly padTo: readonly number[];
    readonly action: StageMeter;
    readonly scene: StageMeter;
  },
): Promise<FastVlm> {
  const { padTo, action, scene } = options;
  const shared = await openVisionLanguage(pack, {
    ...options,
    limit: Math.max(1, ...padTo),
    kernel: createPixelKernel(),
  });
  return {
    readActions: await openActions(shared, pack, { padTo, meter: action }),
    describe: await openDescribe(shared, pack, { meter: scene }),
    release: shared.model.release,
  };
}
