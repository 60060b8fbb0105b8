import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchStandIns, standInVariables } from './stand-ins.ts';

export const NULL_CUDA_USAGE = 'null-cuda [SCRIPT [ARGUMENT...]]';

/**
 * Makes the stand-ins for CUDA's libraries, and runs a script with Node on them where one is named. Gives the variables that they
 * need, without the script. Throws when something could not be made and when the script fails.
 */
export async function runOnNullCuda([script, ...args]: readonly string[]): Promise<object | null> {
  const standIns = await fetchStandIns((line) => console.error(`gpu-kit: ${line}`));
  if (script === undefined) return standInVariables(standIns, 'A_FOLDER_OF_YOUR_OWN');
  const folder = await mkdtemp(join(tmpdir(), 'null-cuda-'));
  try {
    const env = { ...process.env, ...standInVariables(standIns, folder) };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
      stdio: 'inherit',
      env,
    });
    // The terminal's Ctrl-C reaches both; whoever ends this process alone means the script too.
    const end = (): void => void child.kill();
    process.once('SIGTERM', end);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(`${script} ended with ${code ?? signal}`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
