import type { Pack } from '../packs/load-pack.ts';
import type { AdaptedPart, ComposedSpec, PackManifest, PreparedStage } from '../packs/pack-manifest.ts';
import { preparedGraph } from '../packs/prepared-graph.ts';
import type { Stage, StageOptions } from './stage.ts';

/** Opens a model of the pack. */
export type Open<Item, Result> = (pack: Pack, options: StageOptions) => Promise<Stage<Item, Result>>;

/** The two ways to run one kind of model. */
interface Adapter<Item, Result> {
  /** The official graph, with what belongs around it done here. */
  readonly plain: Open<Item, Result>;
  /** The graph that preparing the pack composed around it; null where none is composed for this kind. */
  readonly prepared: ((pack: Pack, spec: ComposedSpec, options: StageOptions) => Promise<Stage<Item, Result>>) | null;
}

/** Opens a part of the pack by the adapter that its manifest names: the prepared graph where there is one, else the official. */
export function byAdapter<Part extends AdaptedPart & PreparedStage, Item, Result>(
  part: Part,
  adapters: Readonly<Record<PackManifest[Part]['adapter'], Adapter<Item, Result>>>,
): Open<Item, Result> {
  return (pack, options) => {
    const { manifest } = pack;
    const name: PackManifest[Part]['adapter'] = manifest[part].adapter;
    const spec = preparedGraph(manifest, part);
    const { plain, prepared } = adapters[name];
    return spec === null || prepared === null ? plain(pack, options) : prepared(pack, spec, options);
  };
}
