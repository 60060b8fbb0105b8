import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation. */
export interface Page {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
}

const root = join(import.meta.dirname, '../../..');
const PAGES = ['*.md', 'docs/**/*.md', 'models/*.md', 'models/export/*.md', 'systemd/*.md', 'test/**/*.md'];

/** Every page of the documentation. */
export function allPages(): readonly Page[] {
  return globSync(PAGES, { cwd: root }).map(readPage);
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** A page's text without what stands in code fences. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/^```.*\n[\s\S]*?^```$/gm, '');
}

/** Every piece of code of a page: fenced blocks and `spans`. */
export function codeOf(page: Page): readonly string[] {
  const fences = [...page.text.matchAll(/^```.*\n([\s\S]*?)^```$/gm)];
  const spans = [...proseOf(page).matchAll(/`([^`\n]+)`/g)];
  return [...fences, ...spans].map(([, code = '']) => code);
}

/** The rows of the table below a heading, cell by cell, without its two first lines. */
export function tableBelow({ path, text }: Page, heading: string): readonly (readonly string[])[] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${path} has no heading ${heading}`);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names in `code` spans of a text. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}
