import { constants } from 'node:os';
import type { FailureCode } from '../../failure/codes.ts';
import { Failure, type FailureOptions } from '../../failure/failure.ts';
import { adviceForErrno } from '../../failure/sources/errno.ts';
import type { ChildExit } from './child-process.ts';
import type { LastWords } from './last-words.ts';
import { tellsOfNoMemory } from './memory-shortage.ts';

/** How a run of ffmpeg or ffprobe ended and what it said. */
export interface ToolEnd {
  readonly tool: 'ffmpeg' | 'ffprobe';
  readonly exit: ChildExit;
  readonly words: LastWords;
}

type Details = NonNullable<FailureOptions['details']>;

/** What a program gets that does wrong itself; every other signal was sent by somebody, or by a sandbox. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP']);

/** Words of the dynamic loader (of glibc and of musl), of the kernel and of `prlimit` about a program that cannot run. */
const CANNOT_RUN =
  /error while loading shared libraries|symbol lookup error|Error (?:loading shared library|relocating)|GLIBC(?:XX)?_[\d.]+'? not found|cannot execute|[Ee]xec format error|failed to execute|failed to run command|failed to map segment/;

/** Exit codes of ffmpeg: after a signal that it obeyed, and after more of them than it waits for. */
const OBEYED = 255;
const HARD_EXIT = 123;

/** Errors of the system in the words of the C library: they speak of what surrounds the file and not of what is in it. */
const OF_SURROUNDINGS =
  /(?:^|: |\()(?:No such file or directory|Permission denied|Operation not permitted|Input\/output error|Remote I\/O error|Too many open files(?: in system)?|Read-only file system|Resource temporarily unavailable|Stale file handle|Transport endpoint is not connected|No space left on device|Disk quota exceeded|Device or resource busy|Not a directory|Is a directory|Structure needs cleaning|Interrupted system call|Connection timed out|Bad file descriptor|Text file busy|Broken pipe|No such device(?: or address)?|Too many levels of symbolic links|Immediate exit requested)\)?\.?$/;

/** What a program in C++ says at its end when it got no thread. */
const UNCAUGHT = /^what\(\):\s+Resource temporarily unavailable$/;

/** What ffmpeg adds to any error; it explains nothing. */
const EMPTY_WORDS =
  /^(?:\[[^\]]*\] )?(?:Error opening (?:input|output) files?(?: \S+)?\.?|Conversion failed!|Nothing was written into output file.*|Output file .*is empty.*)$/;

/** Among them those that what is in a file does not bring about. */
const OF_HOST =
  /Too many open files|Read-only file system|Stale file handle|Transport endpoint|Structure needs|Remote I\/O/;

/**
 * What ended a tool other than its own verdict on the file: a program that cannot run, a signal, a crash, a limit. Null: it ended by itself.
 * Only what a tool cannot bring about convicts the host at once. A tool that a file has taken over ends with any code, by any signal and with
 * any words, so that those make the host suspect and no more.
 */
export function endedByForce({ tool, exit, words }: ToolEnd, details: Details): Failure | null {
  const fail = (code: FailureCode, message: string): Failure => new Failure(code, message, { details });
  if (exit.isSandboxRefused === true) return sandboxRefused(tool, exit, words, details);
  const cannotRun = notRun({ tool, exit, words }, details);
  if (cannotRun !== null) return cannotRun;
  const signal = signalOf(exit, words);
  if (signal === null) return withoutThread(tool, exit, words, details);
  if (signal === 'SIGXCPU') return fail('VIDEO_DECODE_TIMEOUT', `${tool} used up its CPU time`);
  if (signal === 'SIGKILL' && exit.isOomKilled) {
    return fail('HOST_OUT_OF_MEMORY', `${tool} was killed by the kernel: the host, or its cgroup, is out of memory`);
  }
  if (!CRASHES.has(signal)) {
    // Nothing in a sandbox reaches the process that it hangs on: who ends that is outside.
    const isFromOutside = exit.isRelayed === true && exit.signal !== null;
    if (isFromOutside) return fail('TOOL_BROKEN', `${tool} was ended from outside by ${signal}`);
    return suspecting('TOOL_BROKEN', `${tool} was ended by ${signal}, from outside or by itself`, details);
  }
  if (words.unmarked.some((line) => tellsOfNoMemory(line))) return outOfItsMemory(tool, details);
  const isUncaught = signal === 'SIGABRT' && words.unmarked.some((line) => UNCAUGHT.test(line));
  if (isUncaught) return noThread(tool, 'it aborted', details);
  return fail('VIDEO_DECODE_FAILED', `${tool} crashed on the file (${signal})`);
}

/** What whoever starts a program, or its loader, ends with where that does not run: a program that runs can end so, too. Null: another end. */
function notRun({ tool, exit, words }: ToolEnd, details: Details): Failure | null {
  if (exit.isRelayed === true && exit.code === NOTHING_STARTED && !words.isRunning) {
    const { said, code, message } = withoutSandbox(tool, exit, words);
    return suspecting(code, `${message}${adviceOnSandbox(said)}`, details);
  }
  // A text of the file may break a line of the log in two: what looks like the loader's counts only while nothing was logged.
  const cannotRun = words.isRunning ? undefined : words.unmarked.find((line) => CANNOT_RUN.test(line));
  if (exit.code !== 126 && exit.code !== 127 && (cannotRun === undefined || exit.code === 0)) return null;
  const said = cannotRun ?? words.unmarked.at(-1) ?? `exit code ${exit.code}`;
  if (tellsOfNoMemory(said)) {
    return suspecting('HOST_OUT_OF_MEMORY', `there is no memory to start ${tool}: ${said}`, details);
  }
  if (OF_HOST.test(said)) return suspecting('HOST_FAULT', `${tool} cannot be started: ${said}`, details);
  const isAbsent = /failed to (?:execute|run command) .*No such file or directory/.test(said);
  const advice = 'install ffmpeg again or set FFMPEG_PATH and FFPROBE_PATH';
  return suspecting(isAbsent ? 'FFMPEG_MISSING' : 'TOOL_BROKEN', `${tool} cannot run (${said}); ${advice}`, details);
}

/** The first process of a sandbox says with this code that it started nothing. */
const NOTHING_STARTED = 125;

/** No program was started and nothing was read: the file has no part in it, whatever the words are. */
function sandboxRefused(tool: string, exit: ChildExit, words: LastWords, details: Details): Failure {
  const { said, code, message } = withoutSandbox(tool, exit, words);
  if (/Can't find source path .*No such file or directory/.test(said)) {
    const vanished = `the file, or ${tool} itself, vanished before it was read (${said}); keep cleaners away from WORK_DIR`;
    return new Failure('DECODER_INTERRUPTED', vanished, { details });
  }
  return new Failure(code, `${message}${adviceOnSandbox(said)}`, { details });
}

function withoutSandbox(tool: string, exit: ChildExit, words: LastWords) {
  const said = words.text === '' ? `exit code ${exit.code}` : words.text;
  const code = tellsOfNoMemory(said) ? 'HOST_OUT_OF_MEMORY' : 'HOST_FAULT';
  return { said, code, message: `the sandbox of ${tool} cannot be made (${said})` } as const;
}

function adviceOnSandbox(said: string): string {
  if (/Resource temporarily unavailable/.test(said)) return adviceForErrno('EAGAIN');
  return '; it worked when the worker started: docs/operations.md says what it needs, and DECODER_SANDBOX=off goes without';
}

/** Why a tool gave up, where its words are not about the data of the file; null: they are. */
export function gaveUpWithoutReason({ tool, exit, words }: ToolEnd, details: Details): Failure | null {
  if (exit.code === 0) return null;
  if ([...words.errors, ...words.unmarked].some((line) => tellsOfNoMemory(line))) return outOfItsMemory(tool, details);
  const meaningful = words.errors.filter((line) => !EMPTY_WORDS.test(line));
  if (meaningful.some((line) => !OF_SURROUNDINGS.test(line))) return null;
  const ofHost = meaningful.find((line) => OF_HOST.test(line));
  if (ofHost !== undefined) {
    return suspecting('HOST_FAULT', `${tool} cannot read on this host: ${ofHost}`, details);
  }
  return interrupted(tool, `gave up (exit code ${exit.code}) without a word about what is in the file`, words, details);
}

/** A tool that ended well and left nothing to judge the file by. */
export function endedWithoutReport({ tool, words }: ToolEnd, details: Details): Failure {
  return interrupted(tool, 'ended without a report', words, details);
}

/**
 * Null: it had all threads that it wanted. One that found no memory either may have spent that on the file, and is told the same of a thread,
 * whose stack needs some; but little is spent before a decoder is open.
 */
function withoutThread(tool: string, exit: ChildExit, words: LastWords, details: Details): Failure | null {
  if (exit.code === 0) return null;
  const closed = words.closedDecoder;
  if (closed !== null) {
    return suspecting(
      'HOST_FAULT',
      `${tool} got no threads or no memory to begin: ${closed}${adviceForErrno('EAGAIN')}`,
      details,
    );
  }
  const said = words.threadShortage;
  if (said === null || words.sawNoMemory) return null;
  return noThread(tool, said, details);
}

function noThread(tool: string, said: string, details: Details): Failure {
  return suspecting('HOST_FAULT', `${tool} got no thread (${said})${adviceForErrno('EAGAIN')}`, details);
}

/** What a tool can put its host under suspicion of. */
const SUSPICIONS = ['HOST_FAULT', 'HOST_OUT_OF_MEMORY', 'TOOL_BROKEN', 'FFMPEG_MISSING'] as const;
type Suspicion = (typeof SUSPICIONS)[number];

/**
 * The host is at fault, by the end of a tool or by the words of its log: a tool that a file has taken over ends in any way, and a text of a file
 * may break a line in two and look like any of them, so that they convict nobody. A run on a file that nobody sent, which meets the same, is
 * proof.
 */
function suspecting(suspicion: Suspicion, message: string, details: Details): Failure {
  return new Failure('DECODER_INTERRUPTED', message, { details: { ...details, suspect: 'host', suspicion } });
}

/** What the host is at fault with where a tool that nobody can have taken over ends like this; null where its end does not speak of the host. */
export function suspicionIn({ details }: Failure): Suspicion | null {
  return SUSPICIONS.find((suspicion) => details['suspicion'] === suspicion) ?? null;
}

function interrupted(tool: string, what: string, words: LastWords, details: Details): Failure {
  const said = words.text === '' ? '' : `: ${words.text}`;
  return new Failure('DECODER_INTERRUPTED', `${tool} ${what}${said}`, { details });
}

/** The limit is there so that one file cannot take the memory of all: who meets it is that file. */
function outOfItsMemory(tool: string, details: Details): Failure {
  return new Failure('VIDEO_DECODE_FAILED', `${tool} needs more memory for the file than it may have`, { details });
}

/** The signal that ended it: as the kernel says, as ffmpeg says that it obeyed, or as the shell of a wrapper passes on. */
function signalOf({ code, signal, mayHaveSpentCpu, isRelayed }: ChildExit, words: LastWords): string | null {
  if (signal !== null) return signal;
  if (code === null) return null;
  if (code === HARD_EXIT && words.unmarked.some((line) => /^Received > \d+ system signals, hard exiting/.test(line))) {
    // Beyond its soft limit a process gets SIGXCPU once a second, and ffmpeg has enough of any signals after a few.
    return mayHaveSpentCpu ? 'SIGXCPU' : 'SIGTERM';
  }
  // What ffmpeg gives up for by itself may have such a code, too: that of an error of the host, and it names that.
  if (isRelayed === true && code > 128 && !words.errors.some((line) => OF_HOST.test(line))) {
    const relayed = nameOf(code - 128);
    if (relayed !== null) return relayed;
  }
  if (code === OBEYED && words.handledSignal !== null) return nameOf(words.handledSignal);
  return code > 128 && words.errors.length === 0 ? nameOf(code - 128) : null;
}

function nameOf(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}
