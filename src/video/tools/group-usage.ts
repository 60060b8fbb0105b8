import { readdir, readFile } from 'node:fs/promises';

/** What the processes of a group have done so far. */
export interface GroupUsage {
  /** CPU time of all of them and of those children that they have waited for. */
  readonly cpuMs: number;
  /** One letter for each process, as in /proc: R runs, S sleeps, D waits for a disk, T is stopped. */
  readonly states: string;
}

/** Linux counts CPU time for programs in hundredths of a second, whatever its own clock is. */
const MS_PER_TICK = 10;

/** Reads the usage of a process group; null where it cannot be read or nobody is left in it. */
export async function usageOfGroup(groupId: number): Promise<GroupUsage | null> {
  const names = await readdir('/proc').catch((): string[] => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  let ticks = 0;
  let states = '';
  for (const line of lines) {
    // The command name may hold spaces and brackets: fields are counted from the last bracket.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const [state = '', , group] = fields;
    if (Number(group) !== groupId) continue;
    states += state;
    // utime, stime, cutime, cstime: fields 14 to 17, state being the third.
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return states === '' ? null : { cpuMs: ticks * MS_PER_TICK, states };
}
