import { scrub } from '../text/scrub.ts';
import { visible, visibleJson } from '../text/visible.ts';

/** What the parts of a text with line ends of its own are indented by, so that none looks like a line of the command's. */
const INDENT = '  ';

/** A line, or the parts of one, each scrubbed by itself: what a stranger calls his video hides nothing that stands behind it. */
export type Line = string | readonly string[];

/** Lines of a result for people, on standard output. What is in a line stays in it, and steers no terminal. */
export function say(...lines: readonly Line[]): void {
  if (lines.length > 0) process.stdout.write(shownLines(lines));
}

/** Lines about the work itself, on standard error. */
export function complain(...lines: readonly Line[]): void {
  if (lines.length > 0) process.stderr.write(shownLines(lines));
}

/** Of a result: what says why something failed. Ids and names of objects are taken up by programs, as they are. */
const REASONS: ReadonlySet<string> = new Set(['reason', 'failureReason', 'message', 'detail']);

/** A result for programs, on standard output: JSON that a terminal can show as well. */
export function sayJson(value: unknown, indent?: number): void {
  const json = JSON.stringify(value, (name, part: unknown) => (REASONS.has(name) ? scrubbed(part) : part), indent);
  process.stdout.write(`${visibleJson(json)}\n`);
}

/** Dead letters and rows of former versions were written as they came. */
function scrubbed(part: unknown): unknown {
  return typeof part === 'string' ? scrub(part) : part;
}

/** A text that may have line ends of its own, as lines: the first as it is, all others indented. */
export function linesOf(text: string): readonly string[] {
  const [first = '', ...others] = text.split('\n');
  return [first, ...others.map((line) => (line.startsWith(INDENT) || line === '' ? line : `${INDENT}${line}`))];
}

/** What a library writes for people, such as the complaints about an option: its line ends are its own. */
export function shownText(text: string): string {
  return text.split('\n').map(shownLine).join('\n');
}

function shownLines(lines: readonly Line[]): string {
  return `${lines.map(shownLine).join('\n')}\n`;
}

/** Rows of former versions were written as they came: they are scrubbed here. */
function shownLine(line: Line): string {
  return typeof line === 'string' ? visible(scrub(line)) : line.map(shownLine).join('');
}
