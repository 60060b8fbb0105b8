import { readFile, writeFile } from 'node:fs/promises';
import { mediaFolder } from '../media.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';
import { Maker } from './maker.ts';

/** Where odd recordings are made. What several of them start from is made once. */
export class FootageGround implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #maker = new Maker();
  readonly #bases = new Map<string, Promise<Buffer>>();
  #count = 0;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async open(): Promise<FootageGround> {
    return new FootageGround(await mediaFolder());
  }

  /** The path of something in the folder. */
  at(name: string): string {
    return this.#folder.at(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder.remove();
  }

  /** Writes a file of its own, whose name ends in `name`, and answers with its path. */
  async write(name: string, content: Buffer): Promise<string> {
    const path = this.at(`${(this.#count += 1)}-${name}`);
    await writeFile(path, content);
    return path;
  }

  /** What ffmpeg writes, with the same bytes each time, into a file whose name ends in `name`. */
  async ffmpeg(args: readonly string[], name: string): Promise<Buffer> {
    const path = this.at(`${(this.#count += 1)}-${name}`);
    await this.#maker.make(['-threads', '1', ...args, '-fflags', '+bitexact', '-flags:v', '+bitexact', path]);
    return await readFile(path);
  }

  /** A file with the same packets in another container. */
  async copied(file: Buffer, from: string, name: string, args: readonly string[] = []): Promise<Buffer> {
    const path = await this.write(`in.${from}`, file);
    return await this.ffmpeg(['-i', path, '-map', '0', '-c', 'copy', ...args], name);
  }

  /** Makes a thing once. */
  async once(name: string, make: () => Promise<Buffer>): Promise<Buffer> {
    let made = this.#bases.get(name);
    if (made === undefined) this.#bases.set(name, (made = make()));
    return await made;
  }
}
