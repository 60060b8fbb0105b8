import { givenSecret } from './src/config/secret-file.ts';

// Only Prisma's own command line reads this file; the worker gets its URL from its own configuration.
// The schema travels in the URL: postgres://user@host/database?schema=video_worker

export default {
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: givenSecret('DATABASE_URL', process.env) ?? 'postgres://localhost/unset' },
};
