import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChaosWorkerSettings } from './worker-settings.ts';

const ENTRY = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
const EXIT_TIMEOUT_MS = 40_000;

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

/** Worker processes in slots: whichever ends is replaced, as systemd would, until the end. */
export class Fleet {
  readonly kills: Kill[] = [];
  /** Milliseconds from SIGTERM to the end of the process, each with everything given back or finished. */
  readonly released: number[] = [];
  /** Ends that nobody asked for, in words. */
  readonly surprises: string[] = [];
  readonly log: string[] = [];
  readonly #settings: Omit<ChaosWorkerSettings, 'workerId'>;
  readonly #members: Member[] = [];
  readonly #asked = new Set<string>();
  #started = 0;
  #ending = false;

  constructor(settings: Omit<ChaosWorkerSettings, 'workerId'>, size: number) {
    this.#settings = settings;
    for (let slot = 0; slot < size; slot++) this.#members.push(this.#spawn(slot));
  }

  get size(): number {
    return this.#members.length;
  }

  async kill(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const { workerId, child, exited } = member;
    this.kills.push({ workerId, at: Date.now() });
    child.kill('SIGKILL');
    await exited;
  }

  /** Stops the process for so long that its leases run out, then lets it go on as if nothing had been. */
  async freeze(slot: number, ms: number): Promise<void> {
    const { child } = this.#member(slot);
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    child.kill('SIGCONT');
  }

  async terminate(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const start = performance.now();
    // Thawed first: a frozen process hears no signal but these.
    member.child.kill('SIGCONT');
    member.child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.surprises.push(`${member.workerId} did not end within ${EXIT_TIMEOUT_MS} ms of SIGTERM`);
      member.child.kill('SIGKILL');
    }, EXIT_TIMEOUT_MS);
    await member.exited;
    clearTimeout(timer);
    if (member.child.signalCode === null) this.released.push(performance.now() - start);
    if (member.child.exitCode !== 0 && member.child.signalCode !== 'SIGTERM') {
      this.surprises.push(
        `${member.workerId} ended with ${member.child.exitCode ?? member.child.signalCode} on SIGTERM`,
      );
    }
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#members.map((_, slot) => this.terminate(slot)));
  }

  /** Null when it is ending already: faults may overlap. */
  #ask(slot: number): Member | null {
    const member = this.#member(slot);
    if (this.#asked.has(member.workerId)) return null;
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
    const child = fork(ENTRY, [JSON.stringify({ ...this.#settings, workerId })], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const keep = (text: string): void => {
      this.log.push(text);
      if (this.log.length > 2_000) this.log.shift();
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    const exited = once(child, 'exit');
    void exited.then(() => {
      if (!this.#asked.has(workerId)) {
        this.surprises.push(`${workerId} ended by itself with ${child.exitCode ?? child.signalCode}`);
      }
      if (!this.#ending) this.#members[slot] = this.#spawn(slot);
    });
    return { workerId, child, exited };
  }
}
