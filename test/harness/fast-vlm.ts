import { openActions } from '../../src/chain/action/read-actions.ts';
import { sharedVisionLanguage } from '../../src/chain/fastvlm/vision-language.ts';
import type { ReadPictures } from '../../src/chain/language-stage.ts';
import type { ActionReading } from '../../src/chain/model-chain.ts';
import { openDescribe } from '../../src/chain/scene/describe.ts';
import type { ExecutionTarget } from '../../src/inference/providers.ts';
import type { StageMeter } from '../../src/inference/stage-meter.ts';
import type { Pack } from '../../src/packs/load-pack.ts';
import { stageOptions } from './stage-options.ts';

/** The vision-language model with both of its readings, run step by step. */
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
  const { target, padTo, action, scene } = options;
  const own = stageOptions({ target, padTo, limit: Math.max(1, ...padTo) });
  const shared = sharedVisionLanguage(pack, own);
  const opened = { ...own, visionLanguage: shared.get };
  const actions = await openActions(pack, { ...opened, meter: action });
  const scenes = await openDescribe(pack, { ...opened, meter: scene });
  return { readActions: actions.read, describe: scenes.read, release: shared.release };
}
