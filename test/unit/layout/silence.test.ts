import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SOURCES } from './sources.ts';

/** A comment can turn any rule off unseen, so these are the only ones that a comment in src may. */
const MAY_BE_SILENT = ['no-control-regex'];

describe('no comment of src opens a wall', () => {
  test('only rules about style are turned off', () => {
    // What Prisma writes is not linted at all.
    const files = SOURCES.filter((file) => file.startsWith('src/') && !file.startsWith('src/generated/'));
    const silenced = files.flatMap((file) => silencedBy(readFileSync(file, 'utf8')).map((rule) => `${file}: ${rule}`));
    expect(silenced.filter((line) => !MAY_BE_SILENT.some((rule) => line.endsWith(`: ${rule}`)))).toEqual([]);
    expect(MAY_BE_SILENT.filter((rule) => !silenced.some((line) => line.endsWith(`: ${rule}`)))).toEqual([]);
  });

  test.each([
    ['// oxlint-disable walls/rooms', ['walls/rooms']],
    ['// oxlint-disable-next-line walls/globals -- it is needed', ['walls/globals']],
    ['f(); // oxlint-disable-line import/no-cycle, no-control-regex', ['import/no-cycle', 'no-control-regex']],
    ['/* eslint-disable no-cycle */', ['no-cycle']],
    ['/*\n  oxlint-disable\n  walls/rooms\n*/', ['walls/rooms']],
    ['// oxlint-disable', ['every rule']],
    ['/* eslint-disable */', ['every rule']],
    ['// eslint-disable-next-line -- for once', ['every rule']],
    ['// oxlint-enable walls/rooms', []],
  ])('%j turns off %j', (comment, rules) => {
    expect(silencedBy(`first();\n${comment}\nlast();\n`)).toEqual(rules);
  });

  test('no folder brings rules of its own', () => {
    const configs = globSync('{*,{src,models,scripts,test}/**}/{.oxlintrc.json,.oxlintrc.jsonc,oxlint.config.*}', {
      exclude: ['**/node_modules'],
    });
    expect(configs).toEqual([]);
  });
});

/** The rules that comments turn off, as they name them. */
function silencedBy(text: string): readonly string[] {
  // Wherever the words stand: a comment cannot be told from a text without reading all that is before it.
  const block = /\/\*\s*(?:oxlint|eslint)-disable(?:-next-line|-line)?(?![\w-])([\s\S]*?)\*\//;
  const line = /(?:oxlint|eslint)-disable(?:-next-line|-line)?(?![\w-])(.*)/;
  return [...text.matchAll(new RegExp(`${block.source}|${line.source}`, 'g'))].flatMap(([, inBlock, inLine]) => {
    const rules = (inBlock ?? inLine ?? '').split(/(?:^|\s)--\s/)[0]!.match(/[^\s,]+/g);
    return rules ?? ['every rule'];
  });
}
