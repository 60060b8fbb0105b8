import { readdir, readlink } from 'node:fs/promises';

const TURNS = 100;

/** What this process has open, by number: a path, or a kind and an inode such as `socket:[77]`. */
export async function openDescriptors(): Promise<ReadonlyMap<string, string>> {
  const folder = '/proc/self/fd';
  const open = new Map<string, string>();
  for (const number of await readdir(folder)) {
    // The descriptor of the listing itself is closed by then.
    const target = await readlink(`${folder}/${number}`).catch(() => null);
    if (target !== null) open.set(number, target);
  }
  return open;
}

/**
 * What is open now and was not then, after some turns in which Node closes the pipes of a child that has ended. A count in its place
 * would fail where something that an earlier test opened is closed meanwhile, and would not see one lost for one closed.
 */
export async function openedSince(before: ReadonlyMap<string, string>): Promise<readonly string[]> {
  for (let turn = 0; ; turn++) {
    const now = await openDescriptors();
    const opened = [...now].filter(([number, target]) => before.get(number) !== target);
    if (opened.length === 0 || turn >= TURNS) return opened.map((one) => one.join(' '));
    await new Promise(setImmediate);
  }
}
