import { createWriteStream, type WriteStream } from 'node:fs';
import { EXIT_CODES } from '../../src/worker/exit-codes.ts';
import { DaemonProcess, type End } from '../harness/daemon-process.ts';
import { Witness } from './witness.ts';

const START_TIMEOUT_MS = 90_000;
const EXIT_TIMEOUT_MS = 60_000;
const RESTART_MS = 500;
const KEPT_LINES = 2_000;
/** How long after a host was mended its worker may still end by what it met. */
const AFTERMATH_MS = 30_000;
/** How long a freeze that is to catch a job at work waits for one. */
const WAIT_FOR_JOB_MS = 10_000;
/** A drain that finished, one that ran into its deadline and gave back, and one that came before the daemon listened. */
const ENDS_OF_SIGTERM: readonly unknown[] = [EXIT_CODES.CLEAN, EXIT_CODES.GIVEN_BACK, 'SIGTERM'];
/** Ends that a broken connection explains while the daemon starts. */
const ENDS_OF_START: readonly unknown[] = [EXIT_CODES.PREFLIGHT, EXIT_CODES.FAILED];

interface Member {
  readonly workerId: string;
  readonly slot: number;
  readonly daemon: DaemonProcess;
}

export interface Kill {
  readonly workerId: string;
  /** Milliseconds since the epoch: compared with the database's clock, which is this machine's. */
  readonly at: number;
}

/** Something that takes a worker's messages from it. */
export interface Absence {
  readonly workerId: string;
  readonly why: 'killed' | 'drained' | 'halted' | 'frozen past its lease';
  readonly from: number;
  readonly to: number;
}

/** Daemon processes in slots: whichever ends is started again, as systemd would, until the end. */
export class Fleet {
  readonly kills: Kill[] = [];
  readonly absences: Absence[] = [];
  /** Milliseconds from SIGTERM to the end of the process, each with everything given back or finished. */
  readonly released: number[] = [];
  /** Starts that a fault broke off; the next one follows. */
  failedStarts = 0;
  /** Workers that ended themselves because their host was broken. */
  halts = 0;
  /** Ends that nobody asked for, in words. */
  readonly surprises: string[] = [];
  readonly log: string[] = [];
  readonly witness = new Witness();
  readonly #envs: readonly Readonly<Record<string, string>>[];
  readonly #members: Member[] = [];
  readonly #asked = new Set<string>();
  readonly #polling = new Set<string>();
  /** When a worker said that it cannot go on. */
  readonly #halting = new Map<string, number>();
  /** Until when the host of a slot explains what its worker does, in milliseconds since the epoch. */
  readonly #hostTrouble = new Map<number, number>();
  readonly #file: WriteStream | null;
  #started = 0;
  #ending = false;

  /** `envs`: each worker's configuration but for its `WORKER_ID`. */
  constructor(envs: readonly Readonly<Record<string, string>>[], logFile: string | null) {
    this.#envs = envs;
    this.#file = logFile === null ? null : createWriteStream(logFile, { flags: 'a' });
    for (const slot of envs.keys()) this.#members.push(this.#spawn(slot));
  }

  get started(): number {
    return this.#started;
  }

  /** Every worker of now has begun to take messages. */
  async polling(): Promise<void> {
    const end = performance.now() + START_TIMEOUT_MS;
    while (!this.#members.every(({ workerId }) => this.#polling.has(workerId))) {
      if (performance.now() > end) throw new Error(`the workers do not start:\n${this.log.slice(-40).join('\n')}`);
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  async kill(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const at = Date.now();
    this.kills.push({ workerId: member.workerId, at });
    this.absences.push({ workerId: member.workerId, why: 'killed', from: at, to: Number.POSITIVE_INFINITY });
    await member.daemon.stop('SIGKILL');
  }

  /** Stops the process for so long, then lets it go on as if nothing had been. */
  async freezePastLease(slot: number, ms: number): Promise<void> {
    const { workerId } = this.#member(slot);
    const from = Date.now();
    await this.#freeze(slot, ms);
    this.absences.push({ workerId, why: 'frozen past its lease', from, to: Date.now() });
  }

  /** Stops the process while it has a job at work, where one comes in time; its lease outlives the pause and explains no receive. */
  async freezeWithinLease(slot: number, ms: number): Promise<void> {
    await this.witness.untilBusy(this.#member(slot).workerId, WAIT_FOR_JOB_MS);
    await this.#freeze(slot, ms);
  }

  async terminate(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const { workerId, daemon } = member;
    const wasPolling = this.#polling.has(workerId);
    const start = performance.now();
    this.absences.push({ workerId, why: 'drained', from: Date.now(), to: Number.POSITIVE_INFINITY });
    // Thawed first: a frozen process hears no signal but these.
    daemon.signal('SIGCONT');
    daemon.signal('SIGTERM');
    const timer = setTimeout(() => {
      this.surprises.push(`${workerId} did not end within ${EXIT_TIMEOUT_MS} ms of SIGTERM`);
      daemon.signal('SIGKILL');
    }, EXIT_TIMEOUT_MS);
    const end = await daemon.ended;
    clearTimeout(timer);
    if (wasPolling && typeof end === 'number') this.released.push(performance.now() - start);
    const isExpected =
      ENDS_OF_SIGTERM.includes(end) || (!wasPolling && ENDS_OF_START.includes(end)) || this.#endsByHost(member, end);
    if (!isExpected) this.surprises.push(`${workerId} ended with ${end} on SIGTERM`);
  }

  /** Breaks the host of one worker; `work` breaks it, with the process of now, and answers with what mends it. */
  async breakHost(slot: number, ms: number, work: (pid: number | null) => Promise<() => Promise<void>>): Promise<void> {
    this.#hostTrouble.set(slot, Number.POSITIVE_INFINITY);
    const { daemon } = this.#member(slot);
    const mend = await work(daemon.end === null ? daemon.pid : null);
    await new Promise((wake) => setTimeout(wake, ms));
    await mend();
    this.#hostTrouble.set(slot, Date.now() + AFTERMATH_MS);
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#members.map((_, slot) => this.terminate(slot)));
    this.#file?.end();
  }

  async #freeze(slot: number, ms: number): Promise<void> {
    const { daemon, workerId } = this.#member(slot);
    // One that is ending hears its signal first: a freeze would only put its end off.
    if (this.#asked.has(workerId)) return;
    daemon.signal('SIGSTOP');
    await Promise.race([new Promise((wake) => setTimeout(wake, ms).unref()), daemon.ended]);
    daemon.signal('SIGCONT');
  }

  /** Null when it is ending already: faults may overlap. */
  #ask(slot: number): Member | null {
    const member = this.#member(slot);
    if (this.#asked.has(member.workerId) || member.daemon.end !== null) return null;
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
    const daemon = new DaemonProcess({
      env: { ...this.#envs[slot], WORKER_ID: workerId },
      onLine: (line) => {
        this.#listen(workerId, line);
      },
      keptLines: 0,
    });
    const member = { workerId, slot, daemon };
    void daemon.ended.then((end) => {
      this.#ended(member, end);
    });
    return member;
  }

  #listen(workerId: string, line: string): void {
    if (line.includes('"msg":"polling"')) this.#polling.add(workerId);
    if (line.includes('"msg":"the worker cannot go on"')) this.#halting.set(workerId, Date.now());
    this.witness.hear(workerId, line);
    this.#file?.write(`${workerId} ${line}\n`);
    this.log.push(line);
    if (this.log.length > KEPT_LINES) this.log.shift();
  }

  #ended(member: Member, end: End): void {
    const { workerId, slot } = member;
    this.witness.gone(workerId);
    const isAsked = this.#asked.has(workerId);
    if (!isAsked && this.#endsByHost(member, end)) {
      const from = this.#halting.get(workerId) ?? Date.now();
      this.absences.push({ workerId, why: 'halted', from, to: Number.POSITIVE_INFINITY });
      if (this.#polling.has(workerId)) this.halts += 1;
      else this.failedStarts += 1;
    } else if (!isAsked && !this.#polling.has(workerId) && ENDS_OF_START.includes(end)) this.failedStarts += 1;
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

  /** A broken host is told as a system failure, or by the checks of the next start. */
  #endsByHost({ slot, workerId }: Member, end: End): boolean {
    if (Date.now() > (this.#hostTrouble.get(slot) ?? 0)) return false;
    return end === EXIT_CODES.SYSTEM_FAILURE || (!this.#polling.has(workerId) && ENDS_OF_START.includes(end));
  }
}
