/** Pieces that begin a rule, end one, or lie between: a rule that reads again what it has read is slow on many of one, or on two in turn. */
export const PIECES: readonly string[] = [
  'a',
  ' ',
  '\n',
  '\\',
  '"',
  "'",
  '`',
  '\\"',
  '\\\\\\"',
  ':',
  '/',
  '@',
  '://',
  'a://',
  'a://b:',
  'postgres://u:p@',
  '%3A%2F%2F',
  '%',
  '%25',
  '%22',
  '&',
  '&quot;',
  '&a=',
  ';',
  ';a',
  ',',
  '?',
  '?X-Amz-',
  '?sig=',
  '=',
  '<',
  '>',
  '<password>',
  'password',
  'password=',
  'password:',
  'password="',
  "password='",
  'password=\\"',
  'password={',
  '"password":["',
  '"password=[\\"",',
  '"",',
  'password: |\n  ',
  '<password a',
  'password: \n',
  '"password","value"',
  ';password=a ',
  '--password ',
  'authorization: ',
  '"authorization:',
  '"cookie","',
  '"password","value":',
  'secret access key',
  'bearer ',
  'Bearer a',
  'basic ',
  'eyJ',
  'eyJ.',
  'AKIA',
  'sk-',
  'xoxb-',
  'Zq7XUtnFEMI/',
  '-----BEGIN',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN CERTIFICATE-----',
  '-----',
  '@tcp(',
  'jdbc:oracle:',
  'hooks.slack.com/',
  'discord.com/api/webhooks/',
  '{',
  '[',
  ']}',
  '\u0000',
  '\ud83d',
  'İ',
];

export interface Adversary {
  readonly name: string;
  /** About so many UTF-16 units. */
  readonly text: (length: number) => string;
}

function repeated(piece: string): (length: number) => string {
  return (length) => piece.repeat(Math.ceil(length / piece.length));
}

/** Each piece again and again, alone and in pairs, and behind the beginning of a value, and of a list, that has no end. */
export function adversaries(): readonly Adversary[] {
  const alone = PIECES.map((piece) => ({ name: JSON.stringify(piece), text: repeated(piece) }));
  const begun = PIECES.map((piece) => ({
    name: `an open value and ${JSON.stringify(piece)}`,
    text: (length: number) => `password="a://b:${repeated(piece)(length)}`,
  }));
  const listed = PIECES.map((piece) => ({
    name: `a list that goes on with ${JSON.stringify(piece)}`,
    text: (length: number) => `"password":[${repeated(piece)(length)}`,
  }));
  const pairs = PIECES.flatMap((first, index) => {
    const second = PIECES[(index * 7 + 3) % PIECES.length] ?? '';
    const third = PIECES[(index * 11 + 5) % PIECES.length] ?? '';
    const inTurn = {
      name: `${JSON.stringify(first)} and ${JSON.stringify(second)} in turn`,
      text: repeated(first + second),
    };
    const halves = {
      name: `half ${JSON.stringify(first)}, half ${JSON.stringify(third)}`,
      text: (length: number) => repeated(first)(length / 2) + repeated(third)(length / 2),
    };
    return [index % 2 === 0 ? inTurn : halves];
  });
  return [...alone, ...begun, ...listed, ...pairs];
}
