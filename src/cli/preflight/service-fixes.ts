import type { FailureCode } from '../../failure/codes.ts';
import type { Failure } from '../../failure/failure.ts';
import { areCredentialsAbsent } from '../../failure/sources/credentials.ts';

/** What a check calls. */
export type Service = 'database' | 'queue' | 'bucket';

type Fixes = Partial<Record<FailureCode, string>>;

const UNREACHABLE_DATABASE = 'check host and port of DATABASE_URL, the network, and that Postgres is running';
const UNREACHABLE_AWS = 'check the URL, AWS_REGION, AWS_ENDPOINT_URL and the network';
const PASSING = 'nothing is wrong on this side: wait, or look at the health of the service';

/** Whoever of AWS is asked. */
const OF_AWS: Fixes = {
  NETWORK: UNREACHABLE_AWS,
  TIMEOUT: UNREACHABLE_AWS,
  THROTTLED: PASSING,
  SERVICE_UNAVAILABLE: PASSING,
  CREDENTIALS:
    'check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this host) and what they may do (docs/operations.md, Rights)',
  OBJECT_FORBIDDEN: 'allow it for these credentials (docs/operations.md, Rights)',
  CERTIFICATE:
    'put the certificate of its issuer into a PEM file and set NODE_EXTRA_CA_CERTS to it; where it names another host, set the URL and AWS_ENDPOINT_URL to the name in it',
  CLOCK_SKEWED: 'set the clock of this host right, and keep it so (systemd-timesyncd or chrony)',
  ACCOUNT_PROBLEM: 'look at the account in the AWS console: it is suspended, or not signed up for the service',
};

const FIXES: Readonly<Record<Service, Fixes>> = {
  database: {
    NETWORK: UNREACHABLE_DATABASE,
    TIMEOUT: UNREACHABLE_DATABASE,
    DATABASE_UNAVAILABLE: UNREACHABLE_DATABASE,
    DATABASE_NOT_MIGRATED: 'check the name of the database in DATABASE_URL, then run `video-worker db migrate`',
    CREDENTIALS: 'check user and password of DATABASE_URL and the rights of that user (docs/operations.md, Rights)',
    CERTIFICATE:
      'name the certificate of its issuer in DATABASE_URL (sslrootcert=FILE.pem), or set NODE_EXTRA_CA_CERTS=FILE.pem',
    CONFIG_INVALID: 'set DATABASE_URL to postgres://USER:PASSWORD@HOST:PORT/NAME',
  },
  queue: {
    ...OF_AWS,
    QUEUE_NOT_FOUND: 'check the name, the account and the region in the URL, and AWS_REGION; or create the queue',
    KMS_REFUSED:
      'the queue is encrypted: enable its key, and allow kms:Decrypt and kms:GenerateDataKey on it (docs/operations.md, Rights)',
  },
  bucket: {
    ...OF_AWS,
    BUCKET_NOT_FOUND: 'check HIGHLIGHTS_BUCKET and AWS_REGION, or create the bucket; images are missing until then',
  },
};

/** What to do about a failure of a service; null where only the check itself knows. */
export function fixOf(failure: Failure, service: Service): string | null {
  if (areCredentialsAbsent(failure)) {
    return 'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role';
  }
  const { instead } = failure.details;
  return typeof instead === 'string' ? instead : (FIXES[service][failure.code] ?? null);
}
