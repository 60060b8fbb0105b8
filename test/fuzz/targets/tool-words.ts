import { meaningOfLastWords } from '../../../src/failure/sources/ffmpeg.ts';
import type { ChildExit } from '../../../src/video/tools/child-process.ts';
import { LastWords, LineSplitter } from '../../../src/video/tools/last-words.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason } from '../../../src/video/tools/tool-end.ts';
import { must, type Target } from '../engine/target.ts';

const MAX_WORDS = 500;
const MAX_LINES = 6;

/** What a tool says before it ends: words of its own, of the system, and of the file. */
export const target: Target = {
  covers: ['last-words.ts', 'tool-end.ts', 'memory-shortage.ts', 'thread-shortage.ts', 'sources/ffmpeg.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: [
    '[error] ',
    '[warning] ',
    '[fatal] ',
    '[info] ',
    '[mov,mp4 @ 0x55d0c0] ',
    'moov atom not found',
    '[hls] Format not on whitelist',
    'Cannot allocate memory',
    'Resource temporarily unavailable',
    'No such file or directory',
    'Input/output error',
    'Too many open files',
    'Exiting normally, received signal 15.',
    'error while loading shared libraries',
    'Received > 3 system signals, hard exiting',
    'Error opening input file /a/b/c.mp4.',
    'pthread_create failed',
    'corrupt',
    '/a/b/',
    ' @ 0xdeadbeef',
  ],
  check: (input) => {
    const words = new LastWords();
    let count = 0;
    const lines = new LineSplitter((line) => {
      count += 1;
      words.add(line);
    });
    lines.push(input.toString());
    lines.end();
    must(words.text.length <= MAX_WORDS, `the last words have ${words.text.length} characters`);
    must(words.errors.length <= MAX_LINES && words.unmarked.length <= MAX_LINES, 'all lines are kept');
    must(words.saidAnything || count === 0 || input.toString().trim() === '', 'a word was not heard');
    meaningOfLastWords(words.text);
    for (const exit of EXITS) checkEnd(words, exit);
  },
};

const plain: ChildExit = { code: 1, signal: null, mayHaveSpentCpu: false, isOomKilled: false };
const EXITS: readonly ChildExit[] = [
  { ...plain, code: 0 },
  plain,
  { ...plain, code: 255 },
  { ...plain, code: 123, mayHaveSpentCpu: true },
  { ...plain, code: 126 },
  { ...plain, code: 137 },
  { ...plain, code: 125, isRelayed: true, isSandboxRefused: false },
  { ...plain, code: 127, isRelayed: true, isSandboxRefused: false },
  { ...plain, code: 143, isRelayed: true, isSandboxRefused: false },
  { ...plain, code: null, signal: 'SIGTERM' },
  { ...plain, code: null, signal: 'SIGSEGV' },
  { ...plain, code: null, signal: 'SIGABRT' },
];

function checkEnd(words: LastWords, exit: ChildExit): void {
  const end = { tool: 'ffprobe', exit, words } as const;
  const failures = [endedByForce(end, {}), gaveUpWithoutReason(end, {}), endedWithoutReport(end, {})];
  for (const failure of failures) {
    if (failure === null) continue;
    must(failure.message.isWellFormed() || !words.text.isWellFormed(), 'a character was cut in two');
  }
  // Whatever a tool says, and however it ends by its own doing: it ends no worker.
  const [force] = failures;
  must(force?.class !== 'system', `a tool ends the worker: ${force?.code}`);
}
