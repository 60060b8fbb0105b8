import { outsideText } from '../../text/outside-text.ts';
import { toFailure } from '../classify.ts';
import { Failure } from '../failure.ts';

/** What the chain of the SDK says when none of its sources had credentials. The sources themselves say nothing of why. */
const NOWHERE = /could not load credentials from any providers/i;
/** STS could not ask whoever issued the token: it asks to try again. */
const PASSING = /^IDPCommunicationError/;

/** A client of the SDK, as far as its credentials are concerned. */
interface WithCredentials<P extends readonly unknown[], T> {
  readonly config: { credentials: (...options: P) => Promise<T> };
}

/**
 * Lets what keeps a client from its credentials be told from what its service answers: STS refuses with the words and the status of
 * S3, and a good object would be called forbidden. Answers with the client.
 */
export function withNamedCredentials<P extends readonly unknown[], T, C extends WithCredentials<P, T>>(
  client: C & WithCredentials<P, T>,
): C {
  const chain = client.config.credentials;
  client.config.credentials = async (...options) => {
    try {
      return await chain(...options);
    } catch (error) {
      throw credentialsFailure(error);
    }
  };
  return client;
}

/** What an error means that came instead of credentials: temporary where their source is away, otherwise CREDENTIALS. */
export function credentialsFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : '';
  const { message } = error instanceof Error ? error : { message: String(error) };
  const meant = toFailure(error);
  const isAway = PASSING.test(name) || (meant.class === 'temporary' && meant.code !== 'UNKNOWN');
  const code = !isAway ? 'CREDENTIALS' : PASSING.test(name) ? 'SERVICE_UNAVAILABLE' : meant.code;
  return new Failure(code, `credentials: could not get any: ${outsideText(message)}`, {
    cause: error,
    details: { external: name },
  });
}

/** Whether there are no credentials at all, as on a host whose instance metadata does not have them yet. */
export function areCredentialsAbsent(failure: Failure): boolean {
  return failure.code === 'CREDENTIALS' && NOWHERE.test(failure.message);
}
