import { loadOptional } from '../failure/absent-package.ts';
import { serveParent, type StartServer } from './child-process.ts';

export interface FauxqsOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly region: string;
  /** Null keeps queues and objects in memory. */
  readonly dataDir: string | null;
  readonly queues: readonly { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[];
  readonly buckets: readonly string[];
}

export interface FauxqsReady {
  readonly port: number;
}

const start: StartServer<FauxqsOptions, FauxqsReady> = async (options) => {
  const fauxqs = await loadOptional(
    {
      name: 'fauxqs',
      purpose: 'the SQS and S3 server of the demo and the tests',
      instead: 'use real queues and buckets',
    },
    () => import('fauxqs'),
  );
  const server = await fauxqs.startFauxqs({
    port: options.port,
    logger: false,
    defaultRegion: options.region,
    init: {
      queues: options.queues.map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
      buckets: [...options.buckets],
    },
    ...(options.dataDir === null ? {} : { dataDir: options.dataDir, s3StorageDir: `${options.dataDir}/objects` }),
  });
  return { ready: { port: server.port }, stop: () => server.stop() };
};

serveParent(start);
