import type { Orientation } from '../model-chain.ts';
import { byAdapter, type Open } from '../open-adapter.ts';
import { openMebow, type OrientationItem } from './mebow.ts';
import { openPreparedOrientation } from './prepared-orientation.ts';

/** Opens the pack's orientation model. */
export const openOrientation: Open<OrientationItem, Orientation> = byAdapter('orientation', {
  mebow: { plain: openMebow, prepared: openPreparedOrientation },
});
