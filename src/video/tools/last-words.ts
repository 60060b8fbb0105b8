import { tellsOfNoMemory } from './memory-shortage.ts';
import { tellsOfNoDecoder, tellsOfNoThread } from './thread-shortage.ts';

const MAX_LINES = 6;
const MAX_LENGTH = 500;
/** ffmpeg marks what it logs with the level; a loader, a shell or a wrapper does not. */
const LEVEL = /\[(panic|fatal|error|warning|info|verbose|debug|trace)\] ?/;

/** Warnings about bytes that are not there or not right; others are about how a file is written. */
const DAMAGE = /corrupt|size mismatch|truncat|Continuity check failed/i;

/** Keeps the last complaints of ffmpeg: a few lines, no memory addresses, no absolute paths. */
export class LastWords {
  readonly #lines: string[] = [];
  readonly #errors: string[] = [];
  readonly #unmarked: string[] = [];
  #handledSignal: number | null = null;
  #threadShortage: string | null = null;
  #closedDecoder: string | null = null;
  #sawNoMemory = false;
  #sawDamage = false;
  #saidAnything = false;
  #isRunning = false;

  add(line: string): void {
    if (line.trim() !== '') this.#saidAnything = true;
    const text = line
      .replaceAll(/ @ 0x[0-9a-f]+/g, '')
      .replaceAll(/(?<![\w.])\/(?:[^\s/'":]+\/)+/g, '')
      .trim();
    if (text === '') return;
    const level = LEVEL.exec(text)?.[1];
    if (level !== undefined) this.#isRunning = true;
    const handled = /^(?:\[\w+\] )?Exiting normally, received signal (\d+)\.$/.exec(text)?.[1];
    if (handled !== undefined) this.#handledSignal = Number(handled);
    if (level !== undefined && /info|verbose|debug|trace/.test(level)) return;
    const words = text.replace(LEVEL, '');
    keep(this.#lines, words);
    if (level === undefined) keep(this.#unmarked, words);
    else if (level !== 'warning') keep(this.#errors, words);
    if (/error|fatal|panic/.test(level ?? '')) this.#hearShortage(words);
    if (level !== undefined && (level !== 'warning' || DAMAGE.test(words))) this.#sawDamage = true;
  }

  #hearShortage(words: string): void {
    if (tellsOfNoThread(words)) this.#threadShortage ??= words;
    if (tellsOfNoDecoder(words)) this.#closedDecoder ??= words;
    if (tellsOfNoMemory(words)) this.#sawNoMemory = true;
  }

  /** True once a line of level error or worse was seen. */
  get sawError(): boolean {
    return this.#errors.length > 0;
  }

  /** True once an error was seen, or a warning about bytes that are lost. */
  get sawDamage(): boolean {
    return this.#sawDamage;
  }

  /** The last lines of level error or worse. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** The first line that tells of a thread which the system did not give; many more may follow from that. */
  get threadShortage(): string | null {
    return this.#threadShortage;
  }

  /** The first line that tells of a decoder which was not opened for want of memory. */
  get closedDecoder(): string | null {
    return this.#closedDecoder;
  }

  /** True once an error told of memory that was not to be had, however much was said since. */
  get sawNoMemory(): boolean {
    return this.#sawNoMemory;
  }

  /** The last lines that ffmpeg itself did not log. */
  get unmarked(): readonly string[] {
    return this.#unmarked;
  }

  /** The signal upon which ffmpeg says that it ends in good order. */
  get handledSignal(): number | null {
    return this.#handledSignal;
  }

  /** True once ffmpeg itself has said something: it was loaded and runs. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  get saidAnything(): boolean {
    return this.#saidAnything;
  }

  get text(): string {
    return this.#lines.join(' | ').slice(-MAX_LENGTH);
  }
}

function keep(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > MAX_LINES) lines.shift();
}

/** Splits a stream of text into lines; a line without an end is cut at 4 KiB, so that hostile output cannot fill memory. */
export class LineSplitter {
  #rest = '';
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const parts = (this.#rest + text).split(/\r?\n|\r/);
    this.#rest = (parts.pop() ?? '').slice(0, 4096);
    for (const part of parts) this.#onLine(part);
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
