import { readdirSync, watch } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Tool = 'ffmpeg' | 'ffprobe';

/** A start asks for it, and is to find a sound tool. */
const ANSWER_VERSION = 'case "$*" in *-version*) exec TOOL "$@";; esac';

/** A tool that begins and does nothing until it may. */
export interface HeldBack {
  /** Resolves when it was called so often. */
  begun(times?: number): Promise<void>;
  /** From now on it works, also where it waits already. */
  open(): Promise<void>;
}

/** Both tools of a daemon, each called by a script that a test can replace while the daemon runs. */
export class OwnTools {
  /** For the daemon's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    // They tell the test what they do by files, which nothing in a sandbox can make.
    const sandbox = { DECODER_SANDBOX: 'off' };
    this.env = { FFMPEG_PATH: join(folder, 'ffmpeg'), FFPROBE_PATH: join(folder, 'ffprobe'), ...sandbox };
  }

  static async make(folder: string): Promise<OwnTools> {
    await mkdir(folder, { recursive: true });
    const tools = new OwnTools(folder);
    await tools.mend();
    return tools;
  }

  /** They are the machine's again. */
  async mend(): Promise<void> {
    await Promise.all([this.becomes('ffmpeg', ':'), this.becomes('ffprobe', ':')]);
  }

  /** From now on the tool begins with these lines, and goes on as the real one if it gets there; asked for its version it answers. */
  async becomes(tool: Tool, script: string): Promise<void> {
    const file = join(this.#folder, tool);
    const lines = ['#!/bin/sh', ANSWER_VERSION.replace('TOOL', tool), script, `exec ${tool} "$@"`, ''];
    await rm(file, { force: true });
    await writeFile(file, lines.join('\n'), { mode: 0o755 });
  }

  async remove(tool: Tool): Promise<void> {
    await rm(join(this.#folder, tool));
  }

  async holdBack(tool: Tool): Promise<HeldBack> {
    const [calls, gate] = [join(this.#folder, `${tool}.calls`), join(this.#folder, `${tool}.gate`)];
    await Promise.all([rm(calls, { recursive: true, force: true }), rm(gate, { force: true })]);
    await mkdir(calls);
    // Files without bytes: a tool may write no others.
    await this.becomes(tool, `: > ${calls}/$$; while [ ! -e ${gate} ]; do /bin/sleep 0.05; done`);
    return {
      begun: async (times = 1) => {
        const reached = Promise.withResolvers<void>();
        const look = (): void => {
          if (readdirSync(calls).length >= times) reached.resolve();
        };
        const watching = watch(calls, look);
        look();
        await reached.promise.finally(() => watching.close());
      },
      open: () => writeFile(gate, ''),
    };
  }
}
