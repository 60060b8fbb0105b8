import { constants } from 'node:fs';
import { copyFile, link, realpath } from 'node:fs/promises';
import { codeOf } from '../../src/failure/fields.ts';

/** What speaks against a link and not against a copy: another file system, or a file of another user where the system protects those. */
const NOT_LINKED = ['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'];

/** Puts a file that nobody will write to in a place where none is yet: as a link where that can be, since the large ones are all of a bundle. */
export async function placeFile(from: string, to: string): Promise<void> {
  // A link to a symbolic link would be one, too.
  const file = await realpath(from);
  try {
    await link(file, to);
  } catch (error) {
    if (!NOT_LINKED.includes(codeOf(error) ?? '')) throw error;
    await copyFile(file, to, constants.COPYFILE_FICLONE);
  }
}
