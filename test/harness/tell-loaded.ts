import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Imported before a program: tells at the end of every thread what was loaded there, a line of JSON each, in the file that
 * LOADED_FILE names.
 */
const packages = new Set<string>();
registerHooks({
  load: (url, context, next) => {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    return next(url, context);
  },
});
process.on('exit', () => {
  const file = process.env['LOADED_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ isMainThread, packages: [...packages] })}\n`);
});
