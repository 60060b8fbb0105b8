import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, lchown, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isOwnEntry } from '../../../src/storage/left-behind.ts';
import { ensurePrivateFolder, lookAtPrivateFolder, ownUid } from '../../../src/storage/private-folder.ts';
import { canBeOther, canOtherRun, OTHER_UID, runAsOther } from '../../harness/as-user.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const MODULE = fileURLToPath(new URL('../../../src/storage/work-folder.ts', import.meta.url));
/** Another user who is root in a user namespace of his own. */
const TO_OTHER = ['--reuid', String(OTHER_UID), '--regid', String(OTHER_UID), '--clear-groups'];
const AS_ROOT_WITHIN = ['setpriv', ...TO_OTHER, 'unshare', '--map-root-user'] as const;
const canBeRootWithin = (): boolean => {
  const [program, ...args] = AS_ROOT_WITHIN;
  return spawnSync(program, [...args, 'true'], { cwd: '/', stdio: 'ignore' }).status === 0;
};
const asRoot = canBeOther ? test : test.skip;
let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder('private-folder');
  path = folder.at('work');
});
afterEach(() => folder.remove());

const ensure = (at = path): Promise<string> => ensurePrivateFolder(at, isOwnEntry);
const modeOf = async (at: string): Promise<number> => (await lstat(at)).mode & 0o7777;
/** The umask has no part in it. */
const make = async (at: string, mode: number): Promise<void> => {
  await mkdir(at);
  await chmod(at, mode);
};
const refusal = async (at = path): Promise<string> => {
  const error: unknown = await ensure(at).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'HOST_FAULT', class: 'system' });
  return (error as Error).message;
};

describe('a folder for this user alone', () => {
  test('is made where it is absent, with those above it, for nobody else to enter', async () => {
    const deep = join(path, 'a', 'b');
    expect(await ensure(deep)).toBe(deep);
    for (const made of [path, join(path, 'a'), deep]) expect(await modeOf(made)).toBe(0o700);
    expect(await ensure(deep)).toBe(deep);
  });

  test('is taken as it is where it is ours with mode 0700', async () => {
    await make(path, 0o700);
    await writeFile(join(path, 'something'), '');
    expect(await ensure()).toBe(path);
    expect(await readdir(path)).toEqual(['something']);
  });

  test.each([0o755, 0o750, 0o711])(
    'is closed where nobody else could write (%o) and nothing but the worker used it',
    async (mode) => {
      await make(path, mode);
      await mkdir(join(path, 'job-12-34-abc-XyZ123'));
      // Of a disk of its own.
      await mkdir(join(path, 'lost+found'));
      expect(await lookAtPrivateFolder(path, ownUid(), isOwnEntry)).toMatchObject({ isOpen: true });
      expect(await modeOf(path)).toBe(mode);
      await ensure();
      expect(await modeOf(path)).toBe(0o700);
    },
  );

  test("is refused where others may look at what is not the worker's, and stays as it is", async () => {
    await make(path, 0o755);
    await writeFile(join(path, 'index.html'), '');
    expect(await refusal()).toContain(`has mode 0755, and holds what is not the worker's (index.html)`);
    expect(await refusal()).toContain(`chmod 700 ${path}`);
    expect(await modeOf(path)).toBe(0o755);
  });

  test.each([0o777, 0o1777, 0o702])('is refused where others may write (%o), also when it is empty', async (mode) => {
    await make(path, mode);
    expect(await refusal()).toMatch(/so that others can write there.*with mode 0700.*chmod 700/);
    expect(await modeOf(path)).toBe(mode);
  });

  asRoot('is refused where a group with other people in it may write', async () => {
    await make(path, 0o770);
    await chown(path, 0, OTHER_UID);
    expect(await refusal()).toContain('has mode 0770, so that others can write there');
  });

  test.each<[string, () => Promise<void>, RegExp]>([
    ['a file', () => writeFile(path, ''), /is not a folder; move it away/],
    ['a link', () => symlink(folder.path, path), /is a link; it must be a folder itself/],
    ['a link to nothing', () => symlink(folder.at('nothing'), path), /is a link/],
  ])('is never %s', async (_what, place, says) => {
    await place();
    expect(await refusal()).toMatch(says);
  });

  test('is not made below a file or where nothing can be made', async () => {
    await writeFile(path, '');
    expect(await refusal(join(path, 'below', 'it'))).toContain(`${path} is a file`);
    expect(await refusal('/proc/no-such-folder/work')).toContain('cannot be made; set it to a folder of a disk');
  });

  test('is never the root of the file system', async () => {
    // Only looked at: with a fault in what is tried here, root would close the whole host to everybody else.
    await expect(lookAtPrivateFolder('/', ownUid(), isOwnEntry)).rejects.toThrow(
      /WORK_DIR \/ has mode|WORK_DIR \/ belongs/,
    );
  });
});

describe('the way to it', () => {
  test.each([0o777, 0o757])('is refused through a folder in which others may write (%o)', async (mode) => {
    await make(path, mode);
    const inner = join(path, 'work');
    const message = await refusal(inner);
    expect(message).toContain(`${path} above it has mode 0${mode.toString(8)}`);
    expect(message).toContain(`chmod go-w ${path}`);
    expect(message).toContain('WORK_DIR_PARENTS=trusted');
    await mkdir(inner, { mode: 0o700 });
    expect(await refusal(inner)).toContain('above it has mode');
  });

  test('is not looked at where nobody else can reach it, as the volumes of a pod, but the folder itself is', async () => {
    for (const mode of [0o777, 0o2775]) {
      await make(path, mode);
      const inner = join(path, `work-${mode}`);
      expect(await ensurePrivateFolder(inner, isOwnEntry, 'trusted')).toBe(inner);
      expect((await lstat(inner)).mode & 0o777).toBe(0o700);
      await expect(ensurePrivateFolder(path, isOwnEntry, 'trusted')).rejects.toThrow(/mode 0700/);
      await rm(path, { recursive: true });
    }
  });

  test('is taken through a folder with the sticky bit, where nobody renames what is not his', async () => {
    await make(path, 0o1777);
    expect(await ensure(join(path, 'work'))).toBe(join(path, 'work'));
  });

  test('is taken through links of our own, once and for all', async () => {
    await make(path, 0o700);
    await symlink('work', folder.at('link'));
    await symlink(folder.at('link'), folder.at('other'));
    expect(await ensure(folder.at('other', 'x', '..', 'deep'))).toBe(join(path, 'deep'));
    await symlink('round', folder.at('round'));
    expect(await refusal(folder.at('round', 'work'))).toContain('more than 40 links');
  });

  asRoot('is refused through what belongs to another user, a folder or a link', async () => {
    await make(path, 0o755);
    await chown(path, OTHER_UID, OTHER_UID);
    expect(await refusal(join(path, 'work'))).toContain(
      `the folder ${path} on the way to it belongs to uid ${OTHER_UID}`,
    );
    await mkdir(folder.at('good'));
    await symlink(folder.at('good'), folder.at('link'));
    await lchown(folder.at('link'), OTHER_UID, OTHER_UID);
    expect(await refusal(folder.at('link', 'work'))).toContain(`the link ${folder.at('link')}`);
  });

  asRoot("the folder itself is refused where it is another user's, and what he put there stays", async () => {
    await make(path, 0o700);
    await chown(path, OTHER_UID, OTHER_UID);
    const message = await refusal();
    expect(message).toContain(`belongs to uid ${OTHER_UID} (mode 0700); it must belong to uid 0`);
    expect(message).toContain('set WORK_DIR to another one');
  });

  asRoot('in /tmp, whoever came first does not get the files of root', async () => {
    const taken = await mkdtemp('/tmp/video-worker-taken-');
    try {
      await chown(taken, OTHER_UID, OTHER_UID);
      expect(await refusal(taken)).toContain(`belongs to uid ${OTHER_UID}`);
      expect(await readdir(taken)).toEqual([]);
    } finally {
      await rm(taken, { recursive: true });
    }
  });

  (canOtherRun(MODULE) && canBeRootWithin() ? test : test.skip)(
    'is taken where this user is root of a namespace of his own, in which the root outside looks like nobody',
    async () => {
      await chmod(folder.path, 0o1777);
      const lines = `
        const { WorkFolder } = await import(${JSON.stringify(MODULE)});
        await using work = new WorkFolder(${JSON.stringify(folder.at('his'))});
        console.log(process.getuid(), await work.workspace('x').then(() => 'used', (error) => error.message));`;
      const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e'];
      const [program, ...args] = [...AS_ROOT_WITHIN, ...node, lines] as const;
      expect(execFileSync(program, args, { cwd: '/', env: { PATH: process.env['PATH'] }, encoding: 'utf8' })).toBe(
        '0 used\n',
      );
    },
  );

  (canOtherRun(MODULE) ? test : test.skip)(
    'what root has made, another user is refused, and the other way round',
    async () => {
      await chmod(folder.path, 0o1777);
      const his = folder.at('his');
      const use = (at: string): Promise<string> =>
        runAsOther(`
        const { WorkFolder } = await import(${JSON.stringify(MODULE)});
        await using work = new WorkFolder(${JSON.stringify(at)});
        console.log(await work.workspace('x').then(() => 'used', (error) => error.message));`);
      await ensure();
      expect(await use(path)).toContain(`belongs to uid 0 (mode 0700); it must belong to uid ${OTHER_UID}`);
      expect(await use(his)).toBe('used');
      expect(await refusal(his)).toContain(`belongs to uid ${OTHER_UID}`);
    },
  );
});
