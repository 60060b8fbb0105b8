import { BUILD_USAGE, buildKit } from './build.ts';
import { NULL_CUDA_USAGE, runOnNullCuda } from './null-cuda/run.ts';

/** Null: what was to be said is said. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<object | null>>> = {
  build: buildKit,
  'null-cuda': runOnNullCuda,
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  const usages = [BUILD_USAGE, NULL_CUDA_USAGE];
  console.error(usages.map((usage) => `usage: npm run gpu-kit -- ${usage}`).join('\n'));
  process.exitCode = 1;
} else {
  try {
    const result = await command(args);
    if (result !== null) console.log(JSON.stringify(result, null, 2));
  } catch (error) {
    console.error(`gpu-kit: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
