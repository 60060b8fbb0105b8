import { Failure } from './failure.ts';

/** A package that only an install with everything has. */
export interface OptionalPackage {
  readonly name: string;
  /** What it is, as the end of "it is ...". */
  readonly purpose: string;
  /** What to do without it, as an imperative. */
  readonly instead: string;
}

/**
 * Loads a package at the moment of its use. Where it is not installed, that is `CONFIG_INVALID` with its name, its purpose and
 * the way out; every other error of `load` passes as it is.
 */
export async function loadOptional<T>(optional: OptionalPackage, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { name, purpose, instead } = optional;
    if (!isAbsent(error, name)) throw error;
    throw new Failure(
      'CONFIG_INVALID',
      `the package ${name} is not installed: it is ${purpose}, which a production install leaves out; ${instead}, or run scripts/setup without --production`,
      { cause: error, details: { package: name, instead: `${instead}, or run scripts/setup without --production` } },
    );
  }
}

/** Node's error has no field for the package: one that a present package misses reads the same but for the name. */
function isAbsent(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.startsWith(`Cannot find package '${name}'`)
  );
}
