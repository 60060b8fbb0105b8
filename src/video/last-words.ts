const MAX_LINES = 6;
const MAX_LENGTH = 500;

/** Keeps the last complaints of ffmpeg: a few lines, no memory addresses, no absolute paths. */
export class LastWords {
  readonly #lines: string[] = [];
  /** True once a line of level error or worse was seen. */
  sawError = false;

  add(line: string): void {
    const text = line
      .replaceAll(/ @ 0x[0-9a-f]+/g, '')
      .replaceAll(/(?<![\w.])\/(?:[^\s/'":]+\/)+/g, '')
      .trim();
    if (text === '') return;
    if (/\[(?:error|fatal|panic)\]/.test(text)) this.sawError = true;
    this.#lines.push(text.replace(/\[(?:error|fatal|panic|warning)\] /, ''));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  get text(): string {
    return this.#lines.join(' | ').slice(-MAX_LENGTH);
  }
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
