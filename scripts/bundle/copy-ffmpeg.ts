import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { askVersion, locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { placeFile } from './place-file.ts';

/** Parts of the C library belong to the kernel and loader of the host that runs them. */
const OF_THE_HOST = /^(ld-linux.*|libc|libm|libpthread|libdl|librt|libresolv|libanl|libutil)\.so/;

/**
 * Copies ffmpeg and ffprobe of this host, with every shared library that they need but the C library's, into `target`. The host
 * that runs them needs a C library at least as new as this one's.
 */
export async function copyFfmpeg(target: string): Promise<{ readonly version: string; readonly glibc: string }> {
  const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null }, process.env['PATH']);
  await mkdir(join(target, 'lib'), { recursive: true });
  // Most libraries are of both.
  const files = new Map<string, string>();
  for (const [name, program] of Object.entries({ ffmpeg: tools.ffmpeg, ffprobe: tools.ffprobe })) {
    files.set(name, program);
    for (const library of await sharedLibraries(program)) files.set(basename(library), library);
    const start = `#!/bin/sh
here="$(dirname "$(readlink -f "$0")")"
LD_LIBRARY_PATH="$here/lib" exec "$here/lib/${name}" "$@"
`;
    await writeFile(join(target, name), start);
    await chmod(join(target, name), 0o755);
  }
  for (const [name, file] of files) await placeFile(file, join(target, 'lib', name));
  const { stdout } = await promisify(execFile)('getconf', ['GNU_LIBC_VERSION'], { timeout: 10_000 });
  return { version: await askVersion(tools), glibc: stdout.trim() };
}

async function sharedLibraries(program: string): Promise<readonly string[]> {
  // A static program has none, which ldd tells by its exit status.
  const { stdout } = await promisify(execFile)('ldd', [program], { timeout: 10_000 }).catch(() => ({ stdout: '' }));
  const paths = [...stdout.matchAll(/=> (\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  return paths.filter((path) => !OF_THE_HOST.test(basename(path)));
}
