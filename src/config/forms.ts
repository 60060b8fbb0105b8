import { isIP } from 'node:net';

/** Free text on one line. */
export function text(unit = 'text', rule = 'one line of text') {
  return { unit, rule, parse: (value: string) => (/[\r\n\0]/.test(value) ? undefined : value) };
}

export function matching(pattern: RegExp, unit: string, rule: string) {
  return { unit, rule, parse: (value: string) => (pattern.test(value) ? value : undefined) };
}

/** A whole number from `min` to `max`; plain digits only, so that `1e3`, `0x10` and `12abc` are refused. */
export function integer(unit: string, min: number, max: number) {
  return {
    unit,
    rule: `a whole number from ${min} to ${max} (${unit})`,
    parse: (value: string): number | undefined => {
      const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** As `integer`, or null for `auto`: the program chooses. */
export function integerOrAuto(unit: string, min: number, max: number) {
  const number = integer(unit, min, max);
  return {
    unit: `${unit} | auto`,
    rule: `${number.rule}, or auto`,
    parse: (value: string): number | null | undefined => (value === 'auto' ? null : number.parse(value)),
  };
}

/** One of the numbers, or null for `auto`: the program chooses. */
export function oneOfNumbersOrAuto<const T extends number>(unit: string, ...values: readonly T[]) {
  const number = oneOfNumbers(unit, ...values);
  return {
    unit: `${unit} | auto`,
    rule: `${number.rule}, or auto`,
    parse: (value: string): T | null | undefined => (value === 'auto' ? null : number.parse(value)),
  };
}

export function decimal(unit: string, min: number, max: number) {
  return {
    unit,
    rule: `a number from ${min} to ${max} (${unit})`,
    parse: (value: string): number | undefined => {
      const number = /^\d{1,9}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

export function oneOf<const T extends string>(...values: readonly T[]) {
  return {
    unit: values.join(' | '),
    rule: `one of ${values.join(', ')}`,
    parse: (value: string): T | undefined => values.find((known) => known === value),
  };
}

export function oneOfNumbers<const T extends number>(unit: string, ...values: readonly T[]) {
  return {
    unit,
    rule: `one of ${values.join(', ')} (${unit})`,
    parse: (value: string): T | undefined => values.find((known) => String(known) === value),
  };
}

export function onOff() {
  return {
    unit: 'on | off',
    rule: 'on or off',
    parse: (value: string): boolean | undefined => ({ on: true, off: false })[value],
  };
}

/** Labels separated by commas; `off` is the empty list. */
export function labels() {
  return {
    unit: 'labels, by comma | off',
    rule: 'labels separated by commas (letters, digits, space, _ and -), each once, or off',
    parse: (value: string): readonly string[] | undefined => {
      if (value === 'off') return [];
      const list = value.split(',').map((label) => label.trim());
      const good = list.every((label) => /^[\p{L}\p{N}][\p{L}\p{N} _-]*$/u.test(label));
      return good && new Set(list).size === list.length ? list : undefined;
    },
  };
}

export function httpUrl() {
  return {
    unit: 'URL',
    rule: 'an http:// or https:// URL without user name and password',
    show: maskUrl,
    parse: (value: string): string | undefined => {
      const url = urlOf(value);
      if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
        return undefined;
      }
      return value;
    },
  };
}

/** An address, or a name that the system can turn into one. */
export function hostOrAddress() {
  return {
    unit: 'address | name',
    rule: 'an IP address (an IPv6 one without brackets) or a host name, without a port',
    parse: (value: string): string | undefined => {
      if (isIP(value) !== 0) return value;
      const labels = value.split('.');
      const isName = value.length <= 253 && labels.every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label));
      // The C library takes a number at the end for an address in an old form: `0` would be every address.
      return isName && !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '') ? value : undefined;
    },
  };
}

/** What a client says to be let in. */
export function token() {
  return {
    unit: 'text',
    rule: '16 to 512 printable characters without spaces (`openssl rand -hex 32` makes one)',
    show: () => '***',
    parse: (value: string) => (/^[\x21-\x7E]{16,512}$/.test(value) ? value : undefined),
  };
}

export function databaseUrl() {
  return {
    unit: 'URL',
    rule: 'postgres://USER:PASSWORD@HOST:PORT/DATABASE, or pglite:DIR for an embedded database',
    // Where it is not well-formed, a password may stand anywhere behind the scheme.
    show: (value: string) => `${/^[a-z+]+:\/\//i.exec(value)?.[0] ?? ''}***`,
    parse: (value: string): string | undefined => {
      if (value.startsWith('pglite:')) return value.length > 'pglite:'.length ? value : undefined;
      const url = urlOf(value);
      const good =
        url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== '' && url.pathname.length > 1;
      return good ? value : undefined;
    },
  };
}

/** The parser passes over line ends and tabs inside a URL, and what else is told of it would go on with them. */
function urlOf(value: string): URL | null {
  return /[\t\r\n]/.test(value) ? null : URL.parse(value);
}

/** Hides the password and the query of anything that looks like a URL, well-formed or not. */
function maskUrl(value: string): string {
  return value.replace(/^([a-z+]+:\/\/).*@/is, '$1***@').replace(/\?.*$/s, '?***');
}
