import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { byAdapter, type Open } from '../open-adapter.ts';
import { openDetr } from './detr.ts';
import { openPreparedDetr } from './prepared-detr.ts';
import { openPreparedYolov8 } from './prepared-yolov8.ts';
import { openYolov8 } from './yolov8.ts';

/** Opens the pack's detector. */
export const openDetection: Open<Picture, readonly Detection[]> = byAdapter('detection', {
  yolov8: { plain: openYolov8, prepared: openPreparedYolov8 },
  detr: { plain: openDetr, prepared: openPreparedDetr },
});
