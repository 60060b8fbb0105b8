import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT_CODES } from '../../src/worker/exit-codes.ts';
import { bareEnvironment } from '../harness/bare-environment.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What `start-worker` runs, without the build. */
const ENTRY = resolve(ROOT, 'src/cli/start-worker.ts');
const EXIT_TIMEOUT_MS = 60_000;
const RESTART_MS = 500;
const KEPT_LINES = 2_000;
/** A drain that finished, one that ran into its deadline and gave back, and one that came before the daemon listened. */
const ENDS_OF_SIGTERM: readonly unknown[] = [EXIT_CODES.CLEAN, EXIT_CODES.GIVEN_BACK, 'SIGTERM'];
/** Ends that a broken connection explains while the daemon starts. */
const ENDS_OF_START: readonly unknown[] = [EXIT_CODES.PREFLIGHT, EXIT_CODES.FAILED];

interface Member {
  readonly workerId: string;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

export interface Kill {
  readonly workerId: string;
  /** Milliseconds since the epoch: compared with the database's clock, which is this machine's. */
  readonly at: number;
}

/** Daemon processes in slots: whichever ends is started again, as systemd would, until the end. */
export class Fleet {
  readonly kills: Kill[] = [];
  /** Milliseconds from SIGTERM to the end of the process, each with everything given back or finished. */
  readonly released: number[] = [];
  /** Starts that a fault broke off; the next one follows. */
  failedStarts = 0;
  freezes = 0;
  /** Ends that nobody asked for, in words. */
  readonly surprises: string[] = [];
  readonly log: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #members: Member[] = [];
  readonly #asked = new Set<string>();
  readonly #polling = new Set<string>();
  readonly #file: WriteStream | null;
  #started = 0;
  #ending = false;

  /** `env` is the daemon's configuration but for its `WORKER_ID`. */
  constructor(env: Readonly<Record<string, string>>, size: number, logFile: string | null) {
    this.#env = env;
    this.#file = logFile === null ? null : createWriteStream(logFile, { flags: 'a' });
    for (let slot = 0; slot < size; slot++) this.#members.push(this.#spawn(slot));
  }

  get started(): number {
    return this.#started;
  }

  /** Every worker of now has begun to take messages. */
  async polling(): Promise<void> {
    while (!this.#members.every(({ workerId }) => this.#polling.has(workerId))) {
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  async kill(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const { workerId, child, exited } = member;
    this.kills.push({ workerId, at: Date.now() });
    child.kill('SIGKILL');
    await exited;
  }

  /** Stops the process for so long, then lets it go on as if nothing had been. */
  async freeze(slot: number, ms: number): Promise<void> {
    const { child } = this.#member(slot);
    child.kill('SIGSTOP');
    this.freezes += 1;
    await new Promise((wake) => setTimeout(wake, ms));
    child.kill('SIGCONT');
  }

  async terminate(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const { workerId, child, exited } = member;
    const wasPolling = this.#polling.has(workerId);
    const start = performance.now();
    // Thawed first: a frozen process hears no signal but these.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.surprises.push(`${workerId} did not end within ${EXIT_TIMEOUT_MS} ms of SIGTERM`);
      child.kill('SIGKILL');
    }, EXIT_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
    const end = child.exitCode ?? child.signalCode;
    if (wasPolling && child.signalCode === null) this.released.push(performance.now() - start);
    const isExpected = ENDS_OF_SIGTERM.includes(end) || (!wasPolling && ENDS_OF_START.includes(end));
    if (!isExpected) this.surprises.push(`${workerId} ended with ${end} on SIGTERM`);
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#members.map((_, slot) => this.terminate(slot)));
    this.#file?.end();
  }

  /** Null when it is ending already: faults may overlap. */
  #ask(slot: number): Member | null {
    const member = this.#member(slot);
    const { exitCode, signalCode } = member.child;
    if (this.#asked.has(member.workerId) || exitCode !== null || signalCode !== null) return null;
    this.#asked.add(member.workerId);
    return member;
  }

  #member(slot: number): Member {
    const member = this.#members[slot];
    if (member === undefined) throw new RangeError(`no worker in slot ${slot}`);
    return member;
  }

  #spawn(slot: number): Member {
    this.#started += 1;
    const workerId = `chaos-${slot}-${this.#started}`;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...bareEnvironment(), ...this.#env, WORKER_ID: workerId },
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#listen(workerId, text);
    });
    const exited = once(child, 'close');
    void exited.then(() => {
      this.#ended(slot, workerId, child.exitCode ?? child.signalCode);
    });
    return { workerId, child, exited };
  }

  #listen(workerId: string, text: string): void {
    if (text.includes('"msg":"polling"')) this.#polling.add(workerId);
    this.#file?.write(text.replaceAll(/^(?=.)/gm, `${workerId} `));
    this.log.push(text);
    if (this.log.length > KEPT_LINES) this.log.shift();
  }

  #ended(slot: number, workerId: string, end: number | NodeJS.Signals | null): void {
    const isAsked = this.#asked.has(workerId);
    if (!isAsked && !this.#polling.has(workerId) && ENDS_OF_START.includes(end)) this.failedStarts += 1;
    else if (!isAsked) this.surprises.push(`${workerId} ended by itself with ${end}`);
    if (this.#ending) return;
    // A start that failed is not tried again at once, or a database that is away costs a start every moment.
    setTimeout(
      () => {
        if (!this.#ending) this.#members[slot] = this.#spawn(slot);
      },
      isAsked ? 0 : RESTART_MS,
    );
  }
}
