import { readFile } from 'node:fs/promises';

/**
 * Whether a group has nobody in it but these users, so that what it may write, only they may: many systems give each user a group of its
 * own and let it write by default. A group that the files of this host do not know, since a directory service does, counts as one of many.
 */
export async function isGroupOf(gid: number, uids: ReadonlySet<number>): Promise<boolean> {
  const [groups, users] = await Promise.all([recordsOf('/etc/group'), recordsOf('/etc/passwd')]);
  const group = groups.find((fields) => fields[2] === String(gid));
  if (group === undefined) return false;
  const members = (group[3] ?? '').split(',').filter((name) => name !== '');
  const known = new Map(users.map(([name = '', , uid]) => [name, Number(uid)]));
  const primary = users.filter((fields) => fields[3] === String(gid)).map((fields) => Number(fields[2]));
  return [...primary, ...members.map((name) => known.get(name) ?? Number.NaN)].every((uid) => uids.has(uid));
}

async function recordsOf(file: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.split(':'));
}
