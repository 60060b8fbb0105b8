import './no-telemetry.ts';
import { Command } from 'commander';
import { VERSION } from './version.ts';

new Command('start-worker')
  .description(
    'Takes video messages from SQS and analyses them until it is told to stop. Configured by the environment.',
  )
  .version(VERSION)
  .parse();

// What the daemon takes is loaded after its help and its version have been answered.
try {
  process.exitCode = await (await import('./start-daemon.ts')).startDaemon();
} catch (error) {
  process.exitCode = (await import('./explain.ts')).explain(error);
}
// Nothing that a library left open may keep a drained daemon alive.
setTimeout(() => process.exit(), 2_000).unref();
