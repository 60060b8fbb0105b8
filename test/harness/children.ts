import { childrenOf } from './processes.ts';

/** The names of the processes that this one has started and that are still there. */
export async function childNames(pid: number = process.pid): Promise<string[]> {
  return (await childrenOf(pid)).map(({ name }) => name);
}
