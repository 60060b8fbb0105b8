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
 * What ended a tool that nothing in a file can bring about, or that shows the file to be too much for its limits: a program that cannot
 * run, a signal, a crash. Null: it ended by itself.
 */
export function endedByForce({ tool, exit, words }: ToolEnd, details: Details): Failure | null {
  const fail = (code: FailureCode, message: string): Failure => new Failure(code, message, { details });
  if (isRefused(exit, words)) return sandboxRefused(tool, exit, words, details);
  // A text of the file may break a line of the log in two: what looks like the loader's counts only while nothing was logged.
  const cannotRun = words.isRunning ? undefined : words.unmarked.find((line) => CANNOT_RUN.test(line));
  if (exit.code === 126 || exit.code === 127 || (cannotRun !== undefined && exit.code !== 0)) {
    const said = cannotRun ?? words.unmarked.at(-1) ?? `exit code ${exit.code}`;
    if (tellsOfNoMemory(said)) return fail('HOST_OUT_OF_MEMORY', `there is no memory to start ${tool}: ${said}`);
    if (OF_HOST.test(said)) return fail('HOST_FAULT', `${tool} cannot be started: ${said}`);
    const isAbsent = /failed to (?:execute|run command) .*No such file or directory/.test(said);
    return fail(
      isAbsent ? 'FFMPEG_MISSING' : 'TOOL_BROKEN',
      `${tool} cannot run (${said}); install ffmpeg again or set FFMPEG_PATH and FFPROBE_PATH`,
    );
  }
  const signal = signalOf(exit, words);
  if (signal === null) return withoutThread(tool, exit, words, details);
  if (signal === 'SIGXCPU') return fail('VIDEO_DECODE_TIMEOUT', `${tool} used up its CPU time`);
  if (signal === 'SIGKILL' && exit.isOomKilled) {
    return fail('HOST_OUT_OF_MEMORY', `${tool} was killed by the kernel: the host, or its cgroup, is out of memory`);
  }
  if (!CRASHES.has(signal)) return fail('TOOL_BROKEN', `${tool} was ended from outside by ${signal}`);
  if (words.unmarked.some((line) => tellsOfNoMemory(line))) return outOfItsMemory(tool, details);
  const isUncaught = signal === 'SIGABRT' && words.unmarked.some((line) => UNCAUGHT.test(line));
  if (isUncaught) return noThread(tool, 'it aborted', details);
  return fail('VIDEO_DECODE_FAILED', `${tool} crashed on the file (${signal})`);
}

/** Its first process says with this code that it started nothing. */
const NOTHING_STARTED = 125;

function isRefused({ isSandboxRefused, isRelayed, code }: ChildExit, words: LastWords): boolean {
  return isSandboxRefused === true || (isRelayed === true && code === NOTHING_STARTED && !words.isRunning);
}

/** No program was started and nothing was read: the file has no part in it, whatever the words are. */
function sandboxRefused(tool: string, exit: ChildExit, words: LastWords, details: Details): Failure {
  const said = words.text === '' ? `exit code ${exit.code}` : words.text;
  if (/Can't find source path .*No such file or directory/.test(said)) {
    const message = `the file, or ${tool} itself, vanished before it was read (${said}); keep cleaners away from WORK_DIR`;
    return new Failure('DECODER_INTERRUPTED', message, { details });
  }
  const code = tellsOfNoMemory(said) ? 'HOST_OUT_OF_MEMORY' : 'HOST_FAULT';
  return new Failure(code, `the sandbox of ${tool} cannot be made (${said})${adviceOnSandbox(said)}`, { details });
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
    return suspectingHost(`${tool} cannot read on this host: ${ofHost}`, details);
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
    return suspectingHost(
      `${tool} got no threads or no memory to begin: ${closed}${adviceForErrno('EAGAIN')}`,
      details,
    );
  }
  const said = words.threadShortage;
  if (said === null || words.sawNoMemory) return null;
  return noThread(tool, said, details);
}

function noThread(tool: string, said: string, details: Details): Failure {
  return suspectingHost(`${tool} got no thread (${said})${adviceForErrno('EAGAIN')}`, details);
}

/**
 * The host is at fault, by the words of a log: a text of a file may break a line in two and look like any of them, so that they convict
 * nobody. A run on a file that nobody sent, which meets the same, is proof.
 */
function suspectingHost(message: string, details: Details): Failure {
  return new Failure('DECODER_INTERRUPTED', message, { details: { ...details, suspect: 'host' } });
}

/** True where the words of the tool speak of its host's fault. */
export function suspectsHost({ details }: Failure): boolean {
  return details['suspect'] === 'host';
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
