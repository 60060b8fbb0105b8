import './no-telemetry.ts';
import { Command, CommanderError } from 'commander';
import { EXIT_CODES } from '../worker/exit-codes.ts';
import { addAnalyze } from './commands/analyze.ts';
import { addEnqueue } from './commands/enqueue.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addOnce } from './commands/once.ts';
import { addOperate } from './commands/stored-videos.ts';
import { explain } from './explain.ts';
import { VERSION } from './version.ts';

const program = new Command('video-worker')
  .description("The operator's command of the GPU video worker.")
  .version(VERSION)
  .exitOverride();
addAnalyze(program);
addEnqueue(program);
addEvaluate(program);
addOnce(program);
addOperate(program);
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT_CODES.CLEAN : EXIT_CODES.USAGE;
  else process.exitCode = explain(error);
}
