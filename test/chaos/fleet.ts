import { createWriteStream, type WriteStream } from 'node:fs';
import { EXIT_CODES } from '../../src/worker/exit-codes.ts';
import { DaemonProcess, type End } from '../harness/daemon-process.ts';

const EXIT_TIMEOUT_MS = 60_000;
const RESTART_MS = 500;
const KEPT_LINES = 2_000;
/** A drain that finished, one that ran into its deadline and gave back, and one that came before the daemon listened. */
const ENDS_OF_SIGTERM: readonly unknown[] = [EXIT_CODES.CLEAN, EXIT_CODES.GIVEN_BACK, 'SIGTERM'];
/** Ends that a broken connection explains while the daemon starts. */
const ENDS_OF_START: readonly unknown[] = [EXIT_CODES.PREFLIGHT, EXIT_CODES.FAILED];

interface Member {
  readonly workerId: string;
  readonly daemon: DaemonProcess;
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
    this.kills.push({ workerId: member.workerId, at: Date.now() });
    await member.daemon.stop('SIGKILL');
  }

  /** Stops the process for so long, then lets it go on as if nothing had been. */
  async freeze(slot: number, ms: number): Promise<void> {
    const { daemon } = this.#member(slot);
    daemon.signal('SIGSTOP');
    this.freezes += 1;
    await new Promise((wake) => setTimeout(wake, ms));
    daemon.signal('SIGCONT');
  }

  async terminate(slot: number): Promise<void> {
    const member = this.#ask(slot);
    if (member === null) return;
    const { workerId, daemon } = member;
    const wasPolling = this.#polling.has(workerId);
    const start = performance.now();
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
      env: { ...this.#env, WORKER_ID: workerId },
      onLine: (line) => {
        this.#listen(workerId, line);
      },
      keptLines: 0,
    });
    void daemon.ended.then((end) => {
      this.#ended(slot, workerId, end);
    });
    return { workerId, daemon };
  }

  #listen(workerId: string, line: string): void {
    if (line.includes('"msg":"polling"')) this.#polling.add(workerId);
    this.#file?.write(`${workerId} ${line}\n`);
    this.log.push(line);
    if (this.log.length > KEPT_LINES) this.log.shift();
  }

  #ended(slot: number, workerId: string, end: End): void {
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
