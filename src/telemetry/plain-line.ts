/** What moves a terminal's cursor, colours it or turns its text around: an object's key may hold it. */
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const HIDDEN = new Set(['time', 'level', 'name', 'msg', 'pid', 'hostname', 'err']);

/** Turns one JSON log line into `time LEVEL message field=value ...`, with an error's stack below it. */
export function plainLine(json: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
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

function visible(text: string): string {
  return text.replaceAll(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
