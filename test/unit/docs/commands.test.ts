import '../../../src/cli/no-telemetry.ts';
import { Command } from 'commander';
import { expect, test } from '@jest/globals';
import { addCommands } from '../../../src/cli/commands/add-commands.ts';
import { allPages, codeOf, namesIn, readPage, tableBelow } from './pages.ts';

const program = new Command('video-worker');
addCommands(program);

/** Every command that can be typed, with its options: `db migrate` is one. */
const COMMANDS = new Map(
  program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name(), optionsOf(command)] as const]
      : command.commands.map((inner) => [`${command.name()} ${inner.name()}`, optionsOf(inner)] as const),
  ),
);

function optionsOf(command: Command): ReadonlySet<string> {
  return new Set(command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : [])));
}

/** The command at the beginning of a piece of text; null where there is none. */
function commandIn(text: string): string | null {
  const [first = '', second = ''] = text.split(/\s+/);
  return [`${first} ${second}`, first].find((name) => COMMANDS.has(name)) ?? null;
}

test('the README has every command, with options that it takes', () => {
  const usages = tableBelow(readPage('README.md'), 'Commands').flatMap(([cell = '']) => namesIn(cell));
  expect(new Set(usages.map(commandIn))).toEqual(new Set(COMMANDS.keys()));
  for (const usage of usages) {
    const known = COMMANDS.get(commandIn(usage) ?? '');
    for (const [option] of usage.matchAll(/--[\w-]+/g)) expect([usage, known?.has(option)]).toEqual([usage, true]);
  }
});

test('every command that a page shows exists and takes the options that it shows', () => {
  const wrong = allPages().flatMap((page) =>
    codeOf(page)
      .flatMap((code) => [...code.replaceAll('\\\n', ' ').matchAll(/video-worker ([a-z][^\n#|;&]*)/g)])
      .filter(([, rest = '']) => {
        const known = COMMANDS.get(commandIn(rest) ?? '');
        return (
          known === undefined ||
          [...rest.matchAll(/--[\w-]+/g)].some(([option]) => option !== '--env-file' && !known.has(option))
        );
      })
      .map(([line]) => `${page.path}: ${line}`),
  );
  expect(wrong).toEqual([]);
});
