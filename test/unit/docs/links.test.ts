import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { allPages, codeOf, proseOf, type Page } from './pages.ts';

const pages = allPages();
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** GitHub's rule: small letters, no punctuation, a dash for every space, a number for every repetition. */
function anchorsOf({ text }: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ''] of text.replaceAll(/^```.*\n[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const slug = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** Why the target cannot be followed from the page; null where it can. */
function problemOf(page: Page, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null;
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
  if (!existsSync(path)) return `${target}: no such file`;
  if (anchor === undefined) return null;
  const other = pages.find((candidate) => candidate.path === path);
  if (other === undefined) return `${target}: not a page`;
  return anchorsOf(other).has(anchor) ? null : `${target}: no such heading`;
}

const ROOMS = ['docker', 'docs', 'models', 'prisma', 'scripts', 'src', 'systemd', 'test'];
const sourcePaths = globSync(ROOMS.map((room) => `${room}/**/*.{ts,py,sh}`));
const SOURCES = new Set(sourcePaths.map((path) => basename(path)));
const FOLDERS = new Set(sourcePaths.map((path) => dirname(path)));

/** Paths that a page names in code, from the root or from its own folder. Words in capitals stand for something else. */
function pathsIn(page: Page): readonly string[] {
  const words = codeOf(page).flatMap((code) => [...code.matchAll(/(?<![\w./:*$~@-])\w[\w.-]*(?:\/[\w./*@-]+)+/g)]);
  return words
    .map(([word]) => word.replace(/[./]+$/, ''))
    .filter((word) => !/\*|\b[A-Z]{2,}\b(?!\.md)/.test(word))
    .filter((word) => {
      const [first = ''] = word.split('/');
      return ROOMS.includes(first) || FOLDERS.has(join(dirname(page.path), first));
    });
}

function isThere(page: Page, path: string): boolean {
  return existsSync(path) || existsSync(join(dirname(page.path), path));
}

/** Sources that a page names without their folder. */
function sourcesIn(page: Page): readonly string[] {
  return codeOf(page)
    .flatMap((code) => [...code.matchAll(/(?<![\w./*-])[\w-]+\.(?:ts|py|sh)(?![\w/])/g)])
    .map(([name]) => name);
}

describe.each(pages.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  test('every relative link leads somewhere', () => {
    const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets.map((target) => problemOf(page, target)).filter((problem) => problem !== null)).toEqual([]);
  });

  test('every npm script that it names exists', () => {
    const named = [...page.text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('every file that it names exists', () => {
    expect(pathsIn(page).filter((path) => !isThere(page, path))).toEqual([]);
    expect(sourcesIn(page).filter((name) => !SOURCES.has(name))).toEqual([]);
  });
});

describe('what the checks see', () => {
  const page = (text: string): Page => ({ path: 'docs/made-up.md', text });

  test.each([
    ['[x](no-such-page.md)', 'no-such-page.md: no such file'],
    ['[x](operations.md#no-such-heading)', 'operations.md#no-such-heading: no such heading'],
    ['[x](../src/cli/version.ts#top)', '../src/cli/version.ts#top: not a page'],
  ])('%s', (text, problem) => {
    const target = /\((.*)\)/.exec(text)![1]!;
    expect(problemOf(page(text), target)).toBe(problem);
  });

  test('a path in a span and one in a block', () => {
    expect(pathsIn(page('`src/a.ts` and\n```sh\nnode scripts/b --out out/c\n```\n but not src/d.ts'))).toEqual([
      'scripts/b',
      'src/a.ts',
    ]);
    expect(
      pathsIn(
        page('`src/queue/NAME/`, `test/unit/*.ts`, `@prisma/cli`, `models/LICENCES.md`, `systemd/unit@.service`'),
      ),
    ).toEqual(['models/LICENCES.md', 'systemd/unit@.service']);
    expect(sourcesIn(page('`gone.ts`, `src/a.ts`, `*.test.ts` and gone.py'))).toEqual(['gone.ts']);
  });

  test('a heading that comes twice has a number', () => {
    expect([...anchorsOf(page('# One: `a-b`\n## Two\n## Two\n'))]).toEqual(['one-a-b', 'two', 'two-1']);
  });
});
