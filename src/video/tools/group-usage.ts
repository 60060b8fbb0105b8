import { readdir, readFile } from 'node:fs/promises';

/** What a group of processes, and what else its leader has started, have done so far. */
export interface GroupUsage {
  /** CPU time of all of them and of those children that they have waited for. */
  readonly cpuMs: number;
  /** One letter for each process, as in /proc: R runs, S sleeps, D waits for a disk, T is stopped. */
  readonly states: string;
}

/** Linux counts CPU time for programs in hundredths of a second, whatever its own clock is. */
const MS_PER_TICK = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
  readonly ticks: number;
}

/**
 * Reads the usage of a process group and of all that descends from its leader, which may be in other groups; null where it cannot be
 * read or nobody is left.
 */
export async function usageOfGroup(groupId: number): Promise<GroupUsage | null> {
  const names = await readdir('/proc').catch((): string[] => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  const stats = texts.filter((text) => text !== '').map(statOf);
  const family = new Set([groupId]);
  // Children may stand before their parents: numbers begin anew at the end of their range.
  for (let known = 0; known < family.size;) {
    known = family.size;
    for (const { pid, parent, group } of stats) if (group === groupId || family.has(parent)) family.add(pid);
  }
  const members = stats.filter(({ pid, group }) => group === groupId || family.has(pid));
  if (members.length === 0) return null;
  const ticks = members.reduce((sum, member) => sum + member.ticks, 0);
  return { cpuMs: ticks * MS_PER_TICK, states: members.map(({ state }) => state).join('') };
}

function statOf(text: string): Stat {
  // The command name may hold spaces and brackets: fields are counted from the last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group] = fields;
  // utime, stime, cutime, cstime: fields 14 to 17, state being the third.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(text, 10), parent: Number(parent), group: Number(group), state, ticks };
}
