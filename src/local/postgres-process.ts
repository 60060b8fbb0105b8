import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../persistence/embedded/embedded-postgres.ts';
import { serveParent, type StartServer } from './child-process.ts';

export interface PostgresOptions {
  /** A folder, or `memory`. */
  readonly dataDir: string;
  readonly port: number;
}

export interface PostgresReady {
  readonly url: string;
}

/** The project's own folder for what may be made again. */
const KEPT_IN = fileURLToPath(new URL('../../.local', import.meta.url));

const start: StartServer<PostgresOptions, PostgresReady> = async ({ dataDir, port }) => {
  const server = await startEmbeddedPostgres(dataDir, port, KEPT_IN);
  return { ready: { url: server.url }, stop: () => server.close() };
};

serveParent(start);
