import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { owned } from './ownership.ts';

/** A server that hands credentials out: `PREFIX1`, `PREFIX2` and so on, each for `lifeMs`. */
export interface CredentialSource extends AsyncDisposable {
  readonly endpoint: string;
  /** How many were handed out so far. */
  readonly issued: number;
  /** Of those that are handed out from now on. */
  lifeMs: number;
  /** Answered instead of credentials; null: nothing is wrong. */
  refusal: Refusal | null;
  /** How many requests were answered with a refusal. */
  readonly refused: number;
}

/** `code` is said where the service has words for it. */
export interface Refusal {
  readonly status: number;
  readonly code?: string;
}

type Answer = (request: IncomingMessage, issue: () => Issued) => Promise<string>;

interface Issued {
  readonly id: string;
  readonly expiration: string;
}

/** The instance metadata of EC2, version 2 (tokens), for a host with a role. */
export async function startInstanceMetadata(prefix = 'META'): Promise<CredentialSource> {
  return await startSource('instance metadata', prefix, async (request, issue) => {
    const path = request.url ?? '';
    if (request.method === 'PUT') return 'token';
    if (!/security-credentials(-extended)?\/.+/.test(path)) return 'role';
    const { id, expiration } = issue();
    const credentials = { AccessKeyId: id, SecretAccessKey: 'secret', Token: 'token', Expiration: expiration };
    return JSON.stringify({ Code: 'Success', Type: 'AWS-HMAC', LastUpdated: new Date().toISOString(), ...credentials });
  });
}

/** The token service, for hosts whose identity is a token in a file. */
export async function startTokenService(prefix = 'WEB'): Promise<CredentialSource> {
  return await startSource('token service', prefix, async (request, issue) => {
    await text(request);
    const { id, expiration } = issue();
    return `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>${id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
      <Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
  });
}

async function startSource(what: string, prefix: string, answer: Answer): Promise<CredentialSource> {
  let issued = 0;
  let refused = 0;
  const issue = (): Issued => {
    issued += 1;
    return { id: `${prefix}${issued}`, expiration: new Date(Date.now() + source.lifeMs).toISOString() };
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { refusal } = source;
    if (refusal === null) {
      response.end(await answer(request, issue));
      return;
    }
    refused += 1;
    response.writeHead(refusal.status);
    response.end(
      `<ErrorResponse><Error><Code>${refusal.code ?? ''}</Code><Message>no</Message></Error></ErrorResponse>`,
    );
  };
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const source: CredentialSource = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get issued() {
      return issued;
    },
    get refused() {
      return refused;
    },
    lifeMs: 3_600_000,
    refusal: null,
    [Symbol.asyncDispose]: owned(`the ${what}`, async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }),
  };
  return source;
}

/** The id of the key that signed a request; null for one that is not signed. */
export function keyIdOf(request: string): string | null {
  return /\bCredential=([^/]+)\//.exec(request)?.[1] ?? null;
}
