import { databaseUrl, integer, matching, onOff } from '../forms.ts';
import { optional, withDefault } from '../key.ts';

export const DATABASE_KEYS = {
  url: optional('DATABASE_URL', databaseUrl(), {
    neededBy: ['database'],
    isSecret: true,
    description: 'database of the findings',
    example: 'postgres://video:video@localhost:5432/video',
  }),
  schema: withDefault(
    'DATABASE_SCHEMA',
    matching(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, 'name', '1 to 63 of a-z, 0-9 and _, not beginning with a digit or pg_'),
    'video_worker',
    { description: 'Postgres schema of the tables' },
  ),
  poolSize: withDefault('DATABASE_POOL_SIZE', integer('connections', 1, 100), '5', {
    description: 'connections at once',
  }),
  migrateOnStart: withDefault('MIGRATE_ON_START', onOff(), 'off', {
    description: 'bring the schema up to date when the daemon starts',
    example: 'on',
  }),
} as const;
