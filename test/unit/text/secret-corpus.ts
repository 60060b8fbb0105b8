/**
 * Secrets, what carries them, and how that is escaped: the test takes every carrier with every secret that it can hold, in three escapings or
 * more, and in all of them with TEST_DEPTH=deep.
 * A new find is one more line in one of the three lists. Parts of a secret are told from the text around it by their letters: each
 * begins with `Zq`.
 */

export interface Carrier {
  readonly name: string;
  readonly of: (secret: string) => string;
  /** What a secret must not have to stand in this carrier as it is; everything fits when absent. */
  readonly without?: RegExp;
}

export interface Escaping {
  readonly name: string;
  readonly of: (text: string) => string;
}

/** Passwords by what they hold. */
export const SECRETS: readonly string[] = [
  'Zq7hunter',
  'Zq7hun/Zq8ter',
  'Zq7hun@Zq8ter',
  'Zq7hun:Zq8ter',
  'Zq7hun#Zq8ter',
  'Zq7hun?Zq8ter',
  'Zq7@/:#?Zq8/@:?#Zq9',
  '/Zq7hunter',
  '@Zq7hunter',
  'Zq7hun;Zq8ter',
  'Zq7hun&Zq8ter',
  'Zq7hun,Zq8ter',
  'Zq7hun=Zq8ter',
  'Zq7hun%Zq8ter',
  'Zq7hun%41Zq8ter',
  'Zq7hun+Zq8ter',
  'Zq7hun)Zq8]ter}',
  'Zq7hun$Zq8!ter~^*|',
  'Zq7hun Zq8ter',
  "Zq7hun'Zq8ter",
  'Zq7hun"Zq8ter',
  'Zq7hun\\Zq8ter',
  'Zq7hün漢Zq8ter',
  '{Zq7hunter}',
  '[Zq7hunter]',
  '***Zq7hunter',
  'Zq7'.repeat(700),
];

const BARE = /[\s"'`<>\\]|^[[{]/;
const NO_BLANK_OR_QUOTE = /[\s"'`<>\\]/;
const NO_BLANK_OR_QUOTE_OR_LONG = /[\s"'`<>\\]|.{200}/;
const NAMES = [
  'password',
  'PGPASSWORD',
  'DB_PASSWORD',
  'MY_SECRET',
  'SERVICE_TOKEN',
  'DEPLOY_KEY',
  'aws_secret_access_key',
  'AWS_SESSION_TOKEN',
  'spring.datasource.password',
  'client-secret',
  'sessionToken',
  'secretAccessKey',
  'apiKey',
  'passphrase',
  'SharedAccessKey',
  'SECRET_KEY_BASE',
  'password2',
  'DB_PASS',
  'DB_PASSWORD_PROD',
  'AWS_BEARER_TOKEN_BEDROCK',
  'SECRET_ACCESS_KEY_DEV',
  'dbpass',
  'client-key-data',
] as const;
const FIELDS = ['password', 'secretAccessKey', 'SessionToken', 'access_token', 'X-Api-Key', 'authorization'] as const;

const assignments: readonly Carrier[] = NAMES.flatMap((name) => [
  { name: `${name}=`, of: (secret: string) => `${name}=${secret}`, without: BARE },
  { name: `${name} = `, of: (secret: string) => `${name} = ${secret}`, without: BARE },
  { name: `${name}: `, of: (secret: string) => `${name}: ${secret}`, without: BARE },
  { name: `export ${name}`, of: (secret: string) => `export ${name}="${secret}"`, without: /["\\]/ },
  { name: `${name} in single quotes`, of: (secret: string) => `${name}='${secret}'`, without: /['\\]/ },
]);

const objects: readonly Carrier[] = FIELDS.flatMap((name) => [
  { name: `JSON with ${name}`, of: (secret: string) => JSON.stringify({ id: 1, [name]: secret, stage: 'probe' }) },
  {
    name: `indented JSON with ${name}`,
    of: (secret: string) => JSON.stringify({ [name]: secret, stage: 'probe' }, null, 2),
  },
  { name: `a list of ${name}`, of: (secret: string) => JSON.stringify({ [name]: [secret, secret] }) },
  {
    name: `a dictionary of Python with ${name}`,
    of: (secret: string) => `{'${name}': '${secret}', 'a': 1}`,
    without: /['\\]/,
  },
  {
    name: `XML with ${name}`,
    of: (secret: string) => `<a><${name}>${secret}</${name}></a>`,
    without: /[\s"'`<>&\\]|^[[{]/,
  },
]);

export const CARRIERS: readonly Carrier[] = [
  ...assignments,
  ...objects,
  {
    name: 'the environment of a container',
    of: (secret) =>
      JSON.stringify([
        { name: 'DB_PASSWORD', value: secret },
        { name: 'A', value: 'b' },
      ]),
  },
  {
    name: 'the environment of a container, indented',
    of: (secret) => JSON.stringify([{ name: 'DB_PASSWORD', value: secret }], null, 2),
  },
  {
    name: 'the environment of a container in YAML',
    of: (secret) => `env:\n  - name: DB_PASSWORD\n    value: ${secret}\n  - name: A\n    value: b`,
    without: BARE,
  },
  {
    name: 'a parameter of a stack',
    of: (secret) => JSON.stringify({ ParameterKey: 'DBPassword', ParameterValue: secret }),
  },
  {
    name: 'a block of YAML',
    of: (secret) => `db:\n  password: |-\n    ${secret}\n    ${secret}\n  user: a`,
    without: /["'\\&<>]/,
  },
  {
    name: 'a value on the next line',
    of: (secret) => `{ sessionToken:\n   '${secret}', a: 1 }`,
    without: /['\\]/,
  },
  { name: 'arguments of a command', of: (secret) => JSON.stringify(['mysql', '--password', secret, '--host', 'db']) },
  { name: 'behind many blanks', of: (secret) => `password                         = ${secret}`, without: BARE },
  {
    name: 'a tag with attributes',
    of: (secret) => `<a:Password Type="x">${secret}</a:Password>`,
    without: /[\s"'`<>&\\]|^[[{]/,
  },
  {
    name: 'a tag on lines of its own',
    of: (secret) => `<SessionToken>\n  ${secret}\n</SessionToken>`,
    without: /[\s"'`<>&\\]|^[[{]/,
  },
  {
    name: 'CDATA',
    of: (secret) => `<password><![CDATA[${secret}]]></password>`,
    without: /[\s"'`<>&\\]|^[[{]/,
  },
  { name: 'attributes of XML', of: (secret) => `<add key="DbPassword" value="${secret}"/>`, without: /["&<\\]/ },
  {
    name: 'a property of XML',
    of: (secret) => `<property name="password">${secret}</property>`,
    without: /[\s"'`<>&\\]|^[[{]/,
  },
  { name: 'a statement of MySQL', of: (secret) => `CREATE USER 'a' IDENTIFIED BY '${secret}'`, without: /['\\]/ },
  { name: 'three quotes', of: (secret) => `password = """\n${secret}\n${secret}"""`, without: /["\\]/ },
  { name: 'three single quotes', of: (secret) => `[db]\npassword = '''${secret}'''`, without: /['\\]/ },
  { name: 'an option', of: (secret) => `mysql --password ${secret} --host db`, without: BARE },
  { name: 'an option with =', of: (secret) => `mysql --password=${secret} --host db`, without: BARE },
  { name: 'libpq', of: (secret) => `host=db user=worker password='${secret}' dbname=x`, without: /['\\]/ },
  {
    name: 'libpq, escaped',
    of: (secret) => `host=db password='${secret.replaceAll(/['\\]/g, '\\$&')}' dbname=x`,
    without: /\\/,
  },
  { name: 'libpq, bare', of: (secret) => `host=db user=worker password=${secret} dbname=x`, without: BARE },
  { name: 'ADO', of: (secret) => `Server=db;User Id=sa;Password=${secret};Database=x`, without: /[;"'`<>\\]|^[[{]/ },
  {
    name: 'ADO in quotes',
    of: (secret) => `Server=db;Password="${secret.replaceAll('"', '""')}";Database=x`,
    without: /\\/,
  },
  { name: 'ADO, last', of: (secret) => `Server=db;User Id=sa;Pwd=${secret}`, without: /[;"'`<>\\]|^[[{]/ },
  { name: 'ODBC', of: (secret) => `Server=db;Uid=sa;Pwd={${secret.replaceAll('}', '}}')}};Database=x`, without: /\\/ },
  {
    name: 'JDBC',
    of: (secret) => `jdbc:postgresql://db:5432/x?user=a&password=${secret}&ssl=true`,
    without: /[\s"'`<>\\&?#]|^[[{]/,
  },
  ...['postgres', 'postgresql', 'mysql', 'redis', 'amqps', 'mongodb+srv', 'https', 'jdbc:postgresql'].map((scheme) => ({
    name: `${scheme}://`,
    of: (secret: string) => `${scheme}://worker:${secret}@db.example.com:5432/videos?sslmode=require`,
    without: NO_BLANK_OR_QUOTE,
  })),
  {
    name: 'a data source of Go',
    of: (secret) => `open worker:${secret}@tcp(db:3306)/videos failed`,
    without: NO_BLANK_OR_QUOTE_OR_LONG,
  },
  {
    name: 'a data source of Oracle',
    of: (secret) => `jdbc:oracle:thin:worker/${secret}@//db:1521/x`,
    without: /[\s"'`<>\\@]|.{300}/,
  },
  { name: 'a statement of SQL', of: (secret) => `ALTER USER worker PASSWORD '${secret}'`, without: /['\\]/ },
  { name: 'a URL without a user', of: (secret) => `redis://:${secret}@db:6379/0`, without: NO_BLANK_OR_QUOTE },
  {
    name: 'a URL in quotes',
    of: (secret) => `DATABASE_URL="postgres://worker:${secret}@db/x" failed`,
    without: NO_BLANK_OR_QUOTE,
  },
  { name: 'a URL that was cut off', of: (secret) => `postgres://worker:${secret}`, without: /[\s"'`<>\\/?#@]/ },
  ...['X-Amz-Signature', 'X-Amz-Security-Token', 'Signature', 'X-Goog-Signature'].map((name) => ({
    name: `a presigned URL with ${name}`,
    of: (secret: string) => `https://b.s3.amazonaws.com/k.mp4?X-Amz-Date=1&${name}=${secret}&x=1`,
    without: NO_BLANK_OR_QUOTE,
  })),
  {
    name: 'a presigned URL of version 2',
    of: (secret) => `http://b.s3.amazonaws.com/k.mp4?AWSAccessKeyId=x&Expires=1&Signature=${secret}`,
    without: NO_BLANK_OR_QUOTE,
  },
  {
    name: 'a presigned URL without its beginning',
    of: (secret) => `Date=1&X-Amz-Signature=${secret}&x=1`,
    without: /[\s"'`<>\\&]|^[[{]/,
  },
  {
    name: 'a shared access signature',
    of: (secret) => `https://x.blob.core.windows.net/c/b?sv=2&sig=${secret}`,
    without: NO_BLANK_OR_QUOTE,
  },
  ...[
    'Authorization: Bearer',
    'authorization: Basic',
    'Proxy-Authorization: Bearer',
    'Cookie: a=b; session=',
    'Set-Cookie: id=',
  ].map((header) => ({
    name: header,
    of: (secret: string) => `GET /x\r\n${header} ${secret}\r\nHost: x`,
    without: /["\\]/,
  })),
  {
    name: 'a signed header',
    of: (secret) =>
      `Authorization: AWS4-HMAC-SHA256 Credential=${secret}/20261128/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=${secret}`,
    without: /["'\\]/,
  },
  {
    name: 'a header in an option',
    of: (secret) => `curl -H 'Authorization: Bearer ${secret}' https://x/y`,
    without: /['\\]/,
  },
  { name: 'a list of headers', of: (secret) => JSON.stringify(['host', 'x', 'cookie', secret, 'accept', '*/*']) },
  {
    name: 'a Slack webhook',
    of: (secret) => `post to https://hooks.slack.com/services/${secret} failed`,
    without: NO_BLANK_OR_QUOTE,
  },
  {
    name: 'a Discord webhook',
    of: (secret) => `https://discord.com/api/webhooks/1/${secret}`,
    without: NO_BLANK_OR_QUOTE,
  },
  {
    name: 'a private key',
    of: (secret) => `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n${secret}\n-----END RSA PRIVATE KEY-----`,
  },
  { name: 'a private key that was cut off', of: (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}` },
];

/** Secrets that are known wherever they stand, with no name before them. */
export const FORMS: readonly string[] = [
  'AKIAZQ7ZQ8ZQ9ZQ7ZQ8Z',
  'ASIAZQ7ZQ8ZQ9ZQ7ZQ8Z',
  'Zq7XUtnFEMI/K7MDENG/bPxRfiCYZq8MPLEKEYab',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.Zq7wRJSMeKKF2QT4fwpMeJf36POk6yJV',
  'eyJZq7ciOiJIUzI1NiJ9',
  'Bearer Zq7abcdefgh12',
  'Basic Zq7cjpodW50ZXIy',
  'ghp_Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8abc',
  'xoxb-123456789012-Zq7Zq8Zq9',
  'sk_live_Zq7Zq8Zq9Zq7Zq8',
  'glpat-Zq7Zq8Zq9Zq7Zq8Zq9',
  'glrt-Zq7Zq8Zq9Zq7Zq8Zq9',
  'ABSKQmVkcm9ja0FQSUtleS1Zq7Zq8Zq9Zq7Zq8Zq9/Zq7+Zq8abcd==',
  'bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BZq7Zq8Zq9',
  'shpat_Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8ab',
  'hvb.Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8Zq9',
  'IQoJb3JpZ2luX2VjEZq7Zq8Zq9Zq7Zq8//Zq9=',
];

const once = (text: string): string => JSON.stringify({ level: 'error', note: text, stage: 'probe' });

export const ESCAPINGS: readonly Escaping[] = [
  { name: 'as it is', of: (text) => text },
  { name: 'in JSON', of: once },
  { name: 'in JSON in JSON', of: (text) => JSON.stringify({ body: once(text), count: 1 }) },
  { name: 'behind an escaped newline', of: (text) => `first line\\n${text}` },
  { name: 'behind an escaped tab, twice', of: (text) => `first\\\\t${text}` },
  { name: 'behind a newline by its number', of: (text) => `first\\u000a${text}` },
  { name: 'percent-encoded', of: (text) => `https://x.example/report?text=${encodeURIComponent(text)}&page=1` },
  {
    name: 'with entities',
    of: (text) => `<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')}</p>`,
  },
  {
    name: 'with entities by their numbers',
    of: (text) =>
      `<p>${text.replaceAll(/[&<>"'=:/]/g, (sign) => (sign < '/' ? `&#0${sign.charCodeAt(0)};` : `&#x${sign.charCodeAt(0).toString(16)};`))}</p>`,
  },
  {
    name: 'with entities, twice',
    of: (text) =>
      `<p>${text.replaceAll('&', '&amp;amp;').replaceAll('<', '&amp;lt;').replaceAll('"', '&amp;quot;')}</p>`,
  },
  { name: 'in an inspected text', of: (text) => `Error: '${text}' is not valid` },
];
