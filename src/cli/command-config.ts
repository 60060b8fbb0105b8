import { fileURLToPath } from 'node:url';
import { loadConfig, type Config, type Need } from '../config/config.ts';
import { environment } from '../config/environment.ts';

export interface CommandSettings {
  /** What the command line says: it wins over the environment. */
  readonly given?: Readonly<Record<string, string | undefined>>;
  /** What this command takes where neither says anything, in place of the general default. */
  readonly defaults?: Readonly<Record<string, string>>;
}

/** The settings of this command, checked. `needs` names the parts that it cannot do without. */
export function commandConfig<const N extends Need = never>(
  needs: readonly N[],
  { given = {}, defaults = {} }: CommandSettings = {},
): Config<N> {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return loadConfig({ ...environment(), ...said }, { needs, defaults });
}

/** For a command that works without a set-up: the pack in this repository, on whatever there is to compute with. */
export const WITHOUT_SETUP: Readonly<Record<string, string>> = {
  MODEL_PACK: fileURLToPath(new URL('../../models/demo', import.meta.url)),
  DEVICE: 'auto',
};
