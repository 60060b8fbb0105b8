import './no-telemetry.ts';
import { Command, CommanderError } from 'commander';
import { EXIT_CODES } from '../worker/exit-codes.ts';
import { addCommands } from './commands/add-commands.ts';
import { VERSION } from './version.ts';
import { shownText } from './terminal.ts';

const program = new Command('video-worker')
  .description("The operator's command of the GPU video worker.")
  .version(VERSION)
  .exitOverride()
  // An argument may be a key that a stranger chose.
  .configureOutput({
    writeOut: (text) => void process.stdout.write(shownText(text)),
    writeErr: (text) => void process.stderr.write(shownText(text)),
  });
addCommands(program);
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT_CODES.CLEAN : EXIT_CODES.USAGE;
  else process.exitCode = (await import('./explain.ts')).explain(error);
}
