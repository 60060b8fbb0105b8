import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Target, TargetModule } from './target.ts';

const FOLDER = resolve(import.meta.dirname, '..');
/** Committed: what a user has, and what was found once. */
const SEEDS = join(FOLDER, 'corpus');
/** What one machine found; git ignores it. */
export const LOCAL_FOLDER = resolve(FOLDER, '../../.local/fuzz');

export interface CorpusFile {
  readonly path: string;
  readonly input: Buffer;
}

export function targetNames(): readonly string[] {
  return readdirSync(join(FOLDER, 'targets'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => basename(file, '.ts'))
    .sort();
}

/** By its name, or by the path of a file. */
export async function loadTarget(name: string): Promise<Target> {
  if (name.endsWith('.ts')) return ((await import(pathToFileURL(resolve(name)).href)) as TargetModule).target;
  if (!targetNames().includes(name)) {
    throw new Error(`there is no target ${name}; there are ${targetNames().join(', ')}`);
  }
  return ((await import(`../targets/${name}.ts`)) as TargetModule).target;
}

export function seedsOf(target: string): readonly CorpusFile[] {
  return filesIn(join(SEEDS, target));
}

/** What earlier runs on this machine kept because it reached more code, shortest first. */
export function keptOf(folder: string, target: string): readonly CorpusFile[] {
  return filesIn(join(folder, 'corpus', basename(target))).toSorted((a, b) => a.input.length - b.input.length);
}

export function keep(folder: string, target: string, input: Buffer): void {
  write(join(folder, 'corpus', basename(target), nameOf(input)), input);
}

/** Writes an input that shows a fault, and beside it what is wrong; returns its path. */
export function keepFind(folder: string, target: string, input: Buffer, text: string): string {
  const path = join(folder, 'finds', basename(target), nameOf(input));
  write(path, input);
  write(`${path}.txt`, `${text}\n\n${repeatCommand(path, target)}\n`);
  return path;
}

/** What runs a find again. */
export function repeatCommand(path: string, target: string): string {
  const named = target === targetOfFile(path) ? '' : ` --target ${target}`;
  return `npm run fuzz -- --repeat ${relative(process.cwd(), path)}${named}`;
}

/** The target of a file in a folder of seeds or finds. */
export function targetOfFile(path: string): string {
  return basename(dirname(resolve(path)));
}

function filesIn(folder: string): readonly CorpusFile[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.map((name) => ({ path: join(folder, name), input: readFileSync(join(folder, name)) }));
}

function write(path: string, content: Buffer | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function nameOf(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
