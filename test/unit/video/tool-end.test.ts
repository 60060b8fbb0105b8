import { expect, test } from '@jest/globals';
import type { Failure } from '../../../src/failure/failure.ts';
import type { ChildExit } from '../../../src/video/tools/child-process.ts';
import { LastWords } from '../../../src/video/tools/last-words.ts';
import { endedByForce, gaveUpWithoutReason, suspicionIn, type ToolEnd } from '../../../src/video/tools/tool-end.ts';

interface End extends Partial<ChildExit> {
  readonly said?: readonly string[];
}

function end({ said = [], ...exit }: End): ToolEnd {
  const words = new LastWords();
  for (const line of said) words.add(line);
  return {
    tool: 'ffmpeg',
    exit: { code: null, signal: null, isOomKilled: false, mayHaveSpentCpu: false, ...exit },
    words,
  };
}

/** What is said of an end; null where it is left to the file. */
const failureOf = (what: End): Failure | null => {
  const ended = end(what);
  return endedByForce(ended, {}) ?? gaveUpWithoutReason(ended, {});
};

const judged = (what: End): string | null => failureOf(what)?.code ?? null;

test.each<[string, End, string]>([
  ['SIGKILL of the kernel for want of memory', { signal: 'SIGKILL', isOomKilled: true }, 'HOST_OUT_OF_MEMORY'],
  ['the same in a wrapper', { code: 137, isOomKilled: true }, 'HOST_OUT_OF_MEMORY'],
  ['a sandbox that was not made', { code: 1, isRelayed: true, isSandboxRefused: true }, 'HOST_FAULT'],
  ['SIGKILL of the sandbox itself', { signal: 'SIGKILL', isRelayed: true }, 'TOOL_BROKEN'],
  ['SIGTERM of the sandbox itself', { signal: 'SIGTERM', isRelayed: true }, 'TOOL_BROKEN'],
])('%s is the fault of this host: no tool can bring it about', (_what, what, code) => {
  expect(judged(what)).toBe(code);
});

test.each<[string, End, string]>([
  ['a program that is gone', absent('failed to execute /x/ffmpeg: No such file or directory'), 'FFMPEG_MISSING'],
  ['one that may not be run', { code: 126, said: ['prlimit: failed to execute x: Permission denied'] }, 'TOOL_BROKEN'],
  ['one for another machine', { code: 126, said: ['prlimit: failed to execute x: Exec format error'] }, 'TOOL_BROKEN'],
  ['one without a word', { code: 127 }, 'TOOL_BROKEN'],
  ['a missing library', absent('error while loading shared libraries: libx.so.1: cannot open'), 'TOOL_BROKEN'],
  ['a library of another version', unmarked("/lib/libc.so.6: version `GLIBC_2.38' not found"), 'TOOL_BROKEN'],
  ['a missing symbol', absent('symbol lookup error: ffmpeg: undefined symbol: av_x'), 'TOOL_BROKEN'],
  ['a missing library of musl', unmarked('Error loading shared library libx.so: No such file'), 'TOOL_BROKEN'],
  [
    'no memory to load it',
    absent('error while loading shared libraries: libx: Cannot allocate memory'),
    'HOST_OUT_OF_MEMORY',
  ],
  ['no descriptor to load it', absent('error while loading shared libraries: libx: Too many open files'), 'HOST_FAULT'],
  ['SIGKILL', { signal: 'SIGKILL' }, 'TOOL_BROKEN'],
  ['SIGTERM', { signal: 'SIGTERM' }, 'TOOL_BROKEN'],
  ['SIGHUP', { signal: 'SIGHUP' }, 'TOOL_BROKEN'],
  ['a sandbox', { signal: 'SIGSYS' }, 'TOOL_BROKEN'],
  ['SIGTERM that ffmpeg obeyed', { code: 255, said: ['[info] Exiting normally, received signal 15.'] }, 'TOOL_BROKEN'],
  ['many signals', hardExit(), 'TOOL_BROKEN'],
  ['a wrapper whose child was killed', { code: 137 }, 'TOOL_BROKEN'],
  ['the code of a sandbox that started nothing', { code: 125, isRelayed: true }, 'HOST_FAULT'],
  [
    'the same for want of memory',
    { code: 125, isRelayed: true, said: ['timeout: fork system call failed: Cannot allocate memory'] },
    'HOST_OUT_OF_MEMORY',
  ],
  ['SIGTERM in a sandbox', { code: 143, isRelayed: true }, 'TOOL_BROKEN'],
  ['SIGKILL in a sandbox', { code: 137, isRelayed: true }, 'TOOL_BROKEN'],
])('%s makes the host suspect and no more: a tool that a file has taken over can end so', (_what, what, code) => {
  const failure = failureOf(what);
  expect(failure).toMatchObject({ code: 'DECODER_INTERRUPTED', class: 'temporary', details: { suspect: 'host' } });
  expect(failure && suspicionIn(failure)).toBe(code);
});

test.each<[string, End]>([
  ['no descriptors', logged('file:video: Too many open files')],
  ['a stale handle', logged('file:video: Stale file handle')],
  [
    'no thread for the encoder',
    logged(
      'ff_frame_thread_encoder_init failed',
      'Error initializing output stream 0:0 -- Error while opening encoder for output stream #0:0 - maybe incorrect parameters',
    ),
  ],
  [
    'no thread for the decoder',
    logged('Error while opening decoder for input stream #0:0 : Resource temporarily unavailable'),
  ],
  [
    'no thread for a filter',
    logged(
      'Error reinitializing filters!',
      'Failed to inject frame into filter network: Resource temporarily unavailable',
    ),
  ],
  [
    'no thread for the input',
    logged(
      'pthread_create failed: Resource temporarily unavailable. Try to increase `ulimit -v` or decrease `ulimit -s`.',
    ),
  ],
  [
    'no thread in the words of a newer ffmpeg, and much that follows from it',
    {
      code: 245,
      said: [
        '[vf#0:0 @ 0x1] [error] pthread_create() failed: Resource temporarily unavailable',
        ...Array.from(
          { length: 8 },
          () => '[vost#0:0/rawvideo @ 0x1] [error] Task finished with error code: -22 (Invalid argument)',
        ),
      ],
    },
  ],
  [
    'no thread in C++',
    {
      signal: 'SIGABRT',
      said: [
        "terminate called after throwing an instance of 'std::system_error'",
        '  what():  Resource temporarily unavailable',
      ],
    },
  ],
  [
    'a text in the file with a line feed in it that looks like a want of threads',
    {
      code: 1,
      said: [
        "[matroska,webm @ 0x1] [warning] Unknown EBML doctype 'matroska'",
        '[error] pthread_create failed: Resource temporarily unavailable',
        "''",
        '[error] bad',
      ],
    },
  ],
  [
    'a decoder that did not open, which of AV1 is the same for memory and threads',
    logged('[dec:libdav1d @ 0x1] Error while opening decoder: Cannot allocate memory'),
  ],
  [
    'the same, and much that follows from it',
    logged(
      '[dec:libdav1d @ 0x1] Error while opening decoder: Cannot allocate memory',
      ...Array.from({ length: 8 }, () => 'Invalid data found when processing input'),
    ),
  ],
])('%s makes the host suspect and no more: a file may say the same', (_what, what) => {
  const failure = failureOf(what);
  expect(failure).toMatchObject({ code: 'DECODER_INTERRUPTED', class: 'temporary' });
  expect(failure && suspicionIn(failure)).toBe('HOST_FAULT');
});

test.each<[string, End]>([
  ['nothing', { code: 1 }],
  ['a file that vanished', logged('file:video: No such file or directory')],
  ['a file that cannot be read', logged('file:video: Input/output error')],
  ['a folder that is closed', logged('file:video: Permission denied')],
  [
    'the same in the words of a newer ffmpeg',
    logged(
      '[in#0] Error opening input: Permission denied',
      'Error opening input file file:video.',
      'Error opening input files: Permission denied',
    ),
  ],
  ['something that ffmpeg never says', unmarked('cannot reach the licence server')],
])('an end with %s is temporary: it explains nothing of the file', (_what, what) => {
  expect(judged(what)).toBe('DECODER_INTERRUPTED');
});

test.each<[string, End, string | null]>([
  ['data that is invalid', logged('file:video: Invalid data found when processing input'), null],
  ['data that is invalid, and a consequence', logged('moov atom not found', 'file:video: Input/output error'), null],
  [
    'no thread after no memory, of which a stack takes some',
    logged('get_buffer() failed: Cannot allocate memory', 'pthread_create() failed: Resource temporarily unavailable'),
    'VIDEO_DECODE_FAILED',
  ],
  [
    'the same, and much that follows from it',
    logged(
      'get_buffer() failed: Cannot allocate memory',
      'pthread_create() failed: Resource temporarily unavailable',
      ...Array.from({ length: 8 }, () => 'Invalid data found when processing input'),
    ),
    null,
  ],
  [
    'a text in the file that looks like a want of threads',
    logged('[info]   : x [error] pthread_create() failed: Resource temporarily unavailable', 'bad'),
    null,
  ],
  [
    'a text in the file that looks like one in a line of its own',
    { code: 1, said: ['         : [error] pthread_create() failed: Resource temporarily unavailable', '[error] bad'] },
    null,
  ],
  [
    'data that a decoder refuses so',
    logged('Error while decoding stream #0:0: Resource temporarily unavailable', 'bad'),
    null,
  ],
  ['a crash', { signal: 'SIGSEGV' }, 'VIDEO_DECODE_FAILED'],
  ['a crash in a wrapper', { code: 139 }, 'VIDEO_DECODE_FAILED'],
  ['more memory than it may have', logged('Error while filtering: Cannot allocate memory'), 'VIDEO_DECODE_FAILED'],
  ['an exception for want of memory', { signal: 'SIGABRT', said: ['what():  std::bad_alloc'] }, 'VIDEO_DECODE_FAILED'],
  ['its CPU limit', { signal: 'SIGXCPU' }, 'VIDEO_DECODE_TIMEOUT'],
  [
    'its CPU limit in good order',
    { code: 255, said: ['[info] Exiting normally, received signal 24.'] },
    'VIDEO_DECODE_TIMEOUT',
  ],
  ['a good end', { code: 0, said: ['[error] something small'] }, null],
  [
    'a text in the file that looks like the loader',
    { code: 1, said: ['[error] bad title: x', 'ffmpeg: error while loading shared libraries: y'] },
    null,
  ],
  [
    'a text in the file that looks like a signal in a line of its own',
    { code: 1, said: ['[error] bad title: x', 'Exiting normally, received signal 15.'] },
    null,
  ],
  // Names and texts of the file are told at level info.
  [
    'a text in the file that looks like a signal',
    logged('[info]     title : Exiting normally, received signal 15.', 'bad'),
    null,
  ],
])('an end by %s is judged by the file', (_what, what, code) => {
  expect(judged(what)).toBe(code);
});

test('many signals after all CPU time was used are those of the limit', () => {
  expect(judged({ ...hardExit(), mayHaveSpentCpu: true })).toBe('VIDEO_DECODE_TIMEOUT');
});

function hardExit(): End {
  return { code: 123, said: ['Received > 3 system signals, hard exiting'] };
}

function absent(line: string): End {
  return { code: 127, said: [line] };
}

function unmarked(line: string): End {
  return { code: 1, said: [line] };
}

function logged(...lines: string[]): End {
  return { code: 1, said: lines.map((line) => (line.startsWith('[info]') ? line : `[error] ${line}`)) };
}
