import { BUILD_USAGE, buildKit } from './build.ts';
import { buildNullCuda, NULL_CUDA_USAGE } from './null-cuda/build.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<object>>> = {
  build: buildKit,
  'null-cuda': buildNullCuda,
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  const usages = [BUILD_USAGE, NULL_CUDA_USAGE];
  console.error(usages.map((usage) => `usage: npm run gpu-kit -- ${usage}`).join('\n'));
  process.exitCode = 1;
} else {
  try {
    console.log(JSON.stringify(await command(args), null, 2));
  } catch (error) {
    console.error(`gpu-kit: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
