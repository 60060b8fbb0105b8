import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { bareEnvironment } from './bare-environment.ts';
import { owned } from './ownership.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface DaemonOptions {
  /** All that it finds in its environment, beside `bareEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  /** A source file or a program, from the project's folder; what `start-worker` runs, without the build, when absent. */
  readonly entry?: string;
  /** Hears every line. */
  readonly onLine?: (line: string) => void;
  /** How many of the last lines are kept; all when absent. */
  readonly keptLines?: number;
}

/** How a process ended: its code, or the signal that ended it. */
export type End = number | NodeJS.Signals;

/** A daemon as a process, and a way to wait for its words. */
export class DaemonProcess implements AsyncDisposable {
  /** Its lines so far, the oldest first. */
  readonly lines: string[] = [];
  /** Resolves when it is gone and its last line was heard. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #kill: () => Promise<void>;
  #end: End | null = null;

  constructor({ env, entry = 'src/cli/start-worker.ts', onLine, keptLines = Number.POSITIVE_INFINITY }: DaemonOptions) {
    const path = resolve(ROOT, entry);
    const command = path.endsWith('.ts') ? [process.execPath, '--disable-warning=ExperimentalWarning', path] : [path];
    const child = spawn(command[0] ?? path, command.slice(1), {
      cwd: ROOT,
      env: { ...bareEnvironment(), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const reading = createInterface({ input: child.stderr });
    reading.on('line', (line) => {
      this.lines.push(line);
      if (this.lines.length > keptLines) this.lines.shift();
      onLine?.(line);
      this.#wake();
    });
    const heard = once(reading, 'close');
    this.ended = once(child, 'exit').then(async () => {
      await heard;
      this.#end = child.exitCode ?? child.signalCode ?? 'SIGKILL';
      this.#wake();
      return this.#end;
    });
    this.#kill = owned(`the daemon ${child.pid} (${entry})`, async () => {
      child.kill('SIGKILL');
      await this.ended;
    });
    void this.ended.then(this.#kill);
  }

  /** Null when it could not be started. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Null while it runs. */
  get end(): End | null {
    return this.#end;
  }

  get words(): string {
    return this.lines.join('\n');
  }

  /** Its lines as objects of the log; one that is none is its own message. */
  get records(): readonly Readonly<Record<string, unknown>>[] {
    return this.lines.map(recordOf);
  }

  /** Resolves when so many lines match; rejects when it ends before that. */
  async says(line: RegExp, times = 1): Promise<void> {
    await this.#until(`saying ${line}`, () => this.lines.filter((said) => line.test(said)).length >= times);
  }

  /** Resolves when the message of a log line matches; rejects when it ends before that. */
  async logs(message: RegExp): Promise<void> {
    const matches = ({ msg }: Readonly<Record<string, unknown>>): boolean =>
      typeof msg === 'string' && message.test(msg);
    await this.#until(`logging ${message}`, () => this.records.some(matches));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends the signal where it runs still, and resolves with its end. */
  async stop(name: NodeJS.Signals): Promise<End> {
    this.signal(name);
    return await this.ended;
  }

  /** Kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#end !== null) throw new Error(`the daemon ended with ${this.#end} before ${what}:\n${this.words}`);
      await new Promise<void>((wake) => {
        this.#waiting.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : { msg: line };
}
