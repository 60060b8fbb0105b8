import type { FailureCode } from '../codes.ts';

/** What ffprobe guesses when bytes are no media at all, or sound alone. */
const NO_PICTURES = 'lrc|srt|ass|webvtt|microdvd|subviewer|mp3|aac|wav|flac|amr|amrnb|amrwb|tty';

/** First match wins. The group is what ffprobe takes the file for. */
const BY_TEXT: readonly (readonly [RegExp, FailureCode])[] = [
  [new RegExp(String.raw`\[(${NO_PICTURES})\] Format not on whitelist`), 'NOT_A_VIDEO'],
  [/\[([\w,]+)\] Format not on whitelist/, 'VIDEO_FORMAT_FORBIDDEN'],
  [/moov atom not found|File ended prematurely|partial file/, 'VIDEO_TRUNCATED'],
];

interface LastWordsMeaning {
  readonly code: FailureCode;
  /** What ffprobe takes the file for, where the words say it. */
  readonly container: string | null;
}

/** What the last words of ffmpeg or ffprobe say of the file; null when nothing in them is known. */
export function meaningOfLastWords(words: string): LastWordsMeaning | null {
  for (const [pattern, code] of BY_TEXT) {
    const found = pattern.exec(words);
    if (found !== null) return { code, container: found[1] ?? null };
  }
  return null;
}
