import { visible } from '../text/visible.ts';

const HIDDEN = new Set(['time', 'level', 'name', 'msg', 'pid', 'hostname', 'err']);

/** Turns one log entry into `time LEVEL message field=value ...`, with an error's stack below it. */
export function plainLine(entry: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(
      ([name, value]) => `${name}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  const head = [textOf(entry['time']), textOf(entry['level']).toUpperCase().padEnd(5), textOf(entry['msg']), ...fields];
  return `${visible(head.filter((part) => part !== '').join(' '))}\n${errorLines(entry['err'])}`;
}

function errorLines(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { readonly stack?: unknown; readonly message?: unknown };
  const text = textOf(stack ?? message);
  return text === '' ? '' : `${text.split('\n').map(visible).join('\n').replaceAll(/^/gm, '    ')}\n`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
