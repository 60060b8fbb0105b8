import type { Key, Need } from './key.ts';
import { KEYS } from './keys.ts';
import { fileVariable } from './secret-file.ts';

/** Heading of each part in `.env.example`. */
const TITLES: Readonly<Record<keyof typeof KEYS, string>> = {
  aws: 'AWS',
  queue: 'Queue',
  worker: 'Worker',
  health: 'Health endpoints',
  database: 'Database',
  inference: 'Models',
  analysis: 'Analysis',
  scene: 'Scene texts',
  limits: 'Limits of a video',
  decode: 'Decoder',
  ffmpeg: 'ffmpeg',
  log: 'Log',
  object: 'One object (video-worker once)',
};

/** Every variable in the order of the documentation. */
export function allKeys(): readonly Key<unknown, Need>[] {
  return Object.values(KEYS).flatMap((section) => Object.values(section) as Key<unknown, Need>[]);
}

/** The configuration as a Markdown table for the documentation. */
export function renderConfigTable(): string {
  const rows = allKeys().flatMap((key) => {
    const needed = key.neededBy.length > 0 ? 'required' : '';
    const own = [`\`${key.name}\``, key.unit, documentedDefault(key) ?? needed, key.description];
    return [own, ...(key.isSecret ? [[`\`${fileVariable(key.name)}\``, 'file', '', fileMeaning(key)]] : [])];
  });
  const lines = rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return ['| variable | unit or values | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

/** The text of `.env.example`: every variable with unit and default; those that a local stack needs are set. */
export function renderEnvExample(): string {
  const lines = [
    '# Every variable with its unit and default. Lines that are not commented out fit docker-compose.yml.',
  ];
  for (const [section, keys] of Object.entries(KEYS)) {
    lines.push('', `# ${TITLES[section as keyof typeof KEYS]}`);
    if (section === 'aws') {
      lines.push('# Credentials are read by the AWS SDK itself (variables, files, instance role).');
      lines.push('AWS_ACCESS_KEY_ID=test', 'AWS_SECRET_ACCESS_KEY=test');
    }
    for (const key of Object.values(keys) as Key<unknown, Need>[]) {
      const fallback = documentedDefault(key);
      lines.push(`# ${key.description} [${key.unit}${fallback === null ? '' : `; default ${fallback}`}]`);
      lines.push(key.example === undefined ? `#${key.name}=${fallback ?? ''}` : `${key.name}=${key.example}`);
      if (key.isSecret) lines.push(`# ${fileMeaning(key)} [file]`, `#${fileVariable(key.name)}=`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function fileMeaning({ name }: Key<unknown, Need>): string {
  return `file that holds ${name}, in place of the variable`;
}

/** Null for a default that differs from machine to machine. */
function documentedDefault(key: Key<unknown, Need>): string | null {
  return key.name === 'WORKER_ID' ? null : key.fallback;
}
