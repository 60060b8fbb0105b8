import { readFile, readdir } from 'node:fs/promises';

/** The names of the processes that this one has started and that are still there. */
export async function childNames(pid: number = process.pid): Promise<string[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const pids = lists.flatMap((list) => list.trim().split(' ')).filter((child) => child !== '');
  const names = await Promise.all(pids.map((child) => readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')));
  return names.map((name) => name.trim()).filter((name) => name !== '');
}
