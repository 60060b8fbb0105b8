import { Failure } from '../failure/failure.ts';
import type { AdaptedPart, PackManifest } from './pack-manifest.ts';

/** The manifest's part for a stage, whose adapter the caller knows; throws PACK_BROKEN where it is another one. */
export function specOf<Stage extends AdaptedPart, Adapter extends PackManifest[Stage]['adapter']>(
  manifest: PackManifest,
  stage: Stage,
  adapter: Adapter,
): Extract<PackManifest[Stage], { readonly adapter: Adapter }> {
  const spec = manifest[stage];
  if (spec.adapter !== adapter) {
    throw new Failure('PACK_BROKEN', `manifest.json: ${stage}.adapter: expected ${adapter}, found ${spec.adapter}`);
  }
  return spec as Extract<PackManifest[Stage], { readonly adapter: Adapter }>;
}
