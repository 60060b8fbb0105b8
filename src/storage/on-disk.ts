import { FAILURE_CODES } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';
import { signOfNodeError } from '../failure/sources/node.ts';

/** Runs work on files and says of what this host lacks or refuses that it is the host's fault, whatever the work was a part of. */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sign = error instanceof Error && !(error instanceof Failure) ? signOfNodeError(error) : null;
    if (sign === null || FAILURE_CODES[sign.code].class !== 'system') throw error;
    throw new Failure(sign.code, `could not ${what} in WORK_DIR: ${(error as Error).message}${sign.advice}`, {
      cause: error,
      details: { errno: sign.external },
    });
  }
}
