import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const exportModels = resolve('models/export');
let exported: Promise<string> | undefined;

/**
 * Folder with `fp32/manifest.json` and `fp16/manifest.json`: the official architectures scaled down, with random weights.
 * Made once for a state of models/export and shared by all test files, also those that run at the same time.
 */
export function tinyExport(): Promise<string> {
  exported ??= makeExport();
  return exported;
}

async function makeExport(): Promise<string> {
  const out = resolve('.local', `tiny-export-${await stateOfScripts()}`);
  // The kernel's lock goes with its holder: a test run that is killed in the middle leaves nothing to clean up.
  const script = [
    'set -eu',
    'mkdir -p "${0%/*}"',
    'exec 9>"$0.lock"',
    'flock 9',
    'if [ -d "$0" ]; then exit 0; fi',
    'rm -rf "$0.partial"',
    '"$1/export" --system-torch --random-weights --scale tiny --out "$0.partial" 9>&-',
    'mv "$0.partial" "$0"',
  ].join('\n');
  await run('bash', ['-c', script, out, exportModels]);
  return out;
}

/** Runs Python with the export's environment, which is made where it is missing; resolves to what it printed. */
export async function exportPython(...options: readonly string[]): Promise<string> {
  await run(join(exportModels, 'export'), ['--system-torch', '--install-only']);
  return await run(join(exportModels, '.venv/system/bin/python'), options, { PYTHONPATH: exportModels });
}

/** Runs the export command with the tests' environment; rejects with its standard error. */
export async function runExport(...options: readonly string[]): Promise<string> {
  return await run(join(exportModels, 'export'), ['--system-torch', ...options]);
}

async function run(command: string, options: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const environment = { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', ...env };
  try {
    const { stdout } = await promisify(execFile)(command, options, { cwd: exportModels, env: environment });
    return stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${command} ${options.join(' ')} failed:\n${stderr ?? String(error)}`, { cause: error });
  }
}

async function stateOfScripts(): Promise<string> {
  const hash = createHash('sha256');
  const paths: string[] = [];
  for await (const path of glob(['export', 'requirements-system-torch.txt', 'gpu_video_models/**/*.py'], {
    cwd: exportModels,
  })) {
    paths.push(path);
  }
  for (const path of paths.toSorted()) {
    hash
      .update(path)
      .update('\0')
      .update(await readFile(join(exportModels, path)));
  }
  return hash.digest('hex').slice(0, 16);
}
