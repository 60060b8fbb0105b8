import { globSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';

/** Every source file of the project, from its root. */
export const SOURCES: readonly string[] = globSync('{src,models,scripts,test}/**/*.ts', {
  exclude: ['**/node_modules'],
}).sort();

/** What a file names: files from the root, packages and modules as they are written. */
export function importsOf(file: string): readonly string[] {
  const pattern = /(?:\bfrom|\bimport|\brequire|\bURL|\.resolve)\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) =>
    name.startsWith('.') ? posix.join(dirname(file), name) : name,
  );
}

/** The package of what is imported: `@scope/name` of `@scope/name/part`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
