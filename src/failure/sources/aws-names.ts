import type { FailureCode } from '../codes.ts';

type Names = Readonly<Partial<Record<FailureCode, readonly string[]>>>;
export type NameTable = ReadonlyMap<string, FailureCode>;

/** What any service may answer, in the words of both SQS protocols too (the older one has prefixes, which are cut first). */
export const OF_ANY: NameTable = tableOf({
  SERVICE_UNAVAILABLE: [
    'ServiceUnavailable',
    'ServiceUnavailableException',
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalServerException',
    'IDPCommunicationError',
    'QueueDeletedRecently',
    'PurgeQueueInProgress',
  ],
  THROTTLED: [
    'SlowDown',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyRequests',
    'TooManyRequestsException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'BandwidthLimitExceeded',
    'OverLimit',
    'KmsThrottled',
  ],
  TIMEOUT: ['RequestTimeout', 'RequestTimeoutException', 'TimeoutError'],
  NETWORK: ['RequestAborted', 'RequestAbortedException'],
  CREDENTIALS: [
    'CredentialsProviderError',
    'TokenProviderError',
    'ExpiredToken',
    'ExpiredTokenException',
    'TokenRefreshRequired',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidIdentityToken',
    'IDPRejectedClaim',
    'UnrecognizedClientException',
    'SignatureDoesNotMatch',
    'InvalidSignatureException',
    'IncompleteSignature',
    'IncompleteSignatureException',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'AccessDeniedException',
    'NotAuthorized',
    'AuthFailure',
  ],
  ACCOUNT_PROBLEM: ['OptInRequired', 'AccountProblem', 'NotSignedUp', 'PendingVerification', 'RegionDisabledException'],
  CLOCK_SKEWED: ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'],
  KMS_REFUSED: [
    'KmsAccessDenied',
    'KmsDisabled',
    'KmsInvalidKeyUsage',
    'KmsInvalidState',
    'KmsNotFound',
    'KmsOptInRequired',
  ],
  QUEUE_NOT_FOUND: ['QueueDoesNotExist', 'NonExistentQueue', 'InvalidAddress'],
  // The message is somebody else's by now.
  RUN_SUPERSEDED: ['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidIdFormat'],
  // What is sent, and how, follows from the endpoint that was configured: each of these would be said to the next request as well.
  CONFIG_INVALID: [
    'InvalidSecurity',
    'UnsupportedOperation',
    'UnknownOperationException',
    'InvalidAction',
    'MissingAction',
    'InvalidAttributeName',
    'InvalidAttributeValue',
    'InvalidMessageContents',
    'InvalidBatchEntryId',
    'BatchEntryIdsNotDistinct',
    'BatchRequestTooLong',
    'EmptyBatchRequest',
    'TooManyEntriesInBatchRequest',
    'QueueNameExists',
    'MalformedQueryString',
  ],
});

/** What is said of objects; only S3 has any, so that an error of no known service is read by these too. */
export const OF_OBJECTS: NameTable = tableOf({
  BUCKET_NOT_FOUND: ['NoSuchBucket'],
  OBJECT_NOT_FOUND: ['NoSuchKey', 'NoSuchVersion', 'NotFound'],
  OBJECT_FORBIDDEN: ['AccessDenied', 'Forbidden'],
  OBJECT_CHANGED: ['PreconditionFailed'],
});

export const OF_BEDROCK: NameTable = tableOf({
  THROTTLED: ['ServiceQuotaExceededException'],
  SERVICE_UNAVAILABLE: ['ModelNotReadyException', 'ModelTimeoutException'],
});

export function tableOf(names: Names): NameTable {
  return new Map(Object.entries(names).flatMap(([code, of]) => of.map((name) => [name, code as FailureCode] as const)));
}
