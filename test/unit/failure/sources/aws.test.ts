import { describe, expect, test } from '@jest/globals';
import { toFailure } from '../../../../src/failure/classify.ts';
import type { FailureCode } from '../../../../src/failure/codes.ts';
import { meaningOfAwsError } from '../../../../src/failure/sources/aws.ts';

const named = (name: string, message = 'x', extra: object = {}): Error =>
  Object.assign(new Error(message), { name }, extra);

/** Every code of S3's list of errors (the general ones), and of the stores that speak like it. */
const S3: Readonly<Partial<Record<FailureCode, string>>> = {
  BUCKET_NOT_FOUND: `NoSuchBucket InvalidBucketName InvalidAccessPoint InvalidAccessPointAliasError NoSuchAccessPoint
    NoSuchMultiRegionAccessPoint`,
  OBJECT_NOT_FOUND: 'NoSuchKey NoSuchVersion NotFound InvalidArgument InvalidURI KeyTooLong KeyTooLongError',
  OBJECT_FORBIDDEN: 'AccessDenied AllAccessDisabled InvalidPayer UnauthorizedAccess UnauthorizedAccessError',
  OBJECT_CHANGED: 'PreconditionFailed InvalidRange',
  OBJECT_TOO_LARGE: 'EntityTooLarge MaxMessageLengthExceeded',
  OBJECT_ARCHIVED: 'InvalidObjectState ObjectNotInActiveTierError RestoreAlreadyInProgress',
  KMS_REFUSED: `KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException KMS.InvalidStateException
    KMS.InvalidKeyUsageException KMS.KeyUnavailableException KMS.AccessDeniedException`,
  THROTTLED: 'SlowDown TooManyRequests RequestLimitExceeded BandwidthLimitExceeded KMS.ThrottlingException',
  SERVICE_UNAVAILABLE: `InternalError ServiceUnavailable Busy OperationAborted ConditionalRequestConflict ClientTokenConflict
    InvalidBucketState TemporaryRedirect Redirect KMS.KMSInternalException`,
  TIMEOUT: 'RequestTimeout',
  NETWORK: `BadDigest InvalidDigest IncompleteBody XAmzContentSHA256Mismatch ConnectionClosedByRequester
    ResponseInterrupted`,
  CREDENTIALS: `InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken TokenRefreshRequired InvalidToken InvalidSecurity
    InvalidSignature InvalidSessionException TokenCodeInvalidError AuthenticationRequired MissingAuthenticationToken
    MissingSecurityElement MissingSecurityHeader`,
  ACCOUNT_PROBLEM: 'AccountProblem NotSignedUp OptInRequired',
  CLOCK_SKEWED: 'RequestTimeTooSkewed RequestExpired',
  STORE_MISCONFIGURED: `PermanentRedirect PermanentRedirectControlError AuthorizationHeaderMalformed
    AuthorizationQueryParametersError IllegalLocationConstraintException InvalidLocationConstraint InvalidRegion
    IncorrectEndpoint EndpointNotFound UnexpectedIPError CredentialsNotSupported UnsupportedSignature UnsupportedArgument
    NotImplemented MethodNotAllowed InvalidRequest InvalidHttpMethod InvalidHostHeader InvalidAddressingHeader
    InvalidEncryptionAlgorithmError ServerSideEncryptionConfigurationNotFoundError InvalidStorageClass
    InvalidBucketOwnerAWSAccountID InvalidTag InvalidSOAPRequest MalformedXML MetadataTooLarge MissingContentLength
    MissingRequestBodyError MissingAttachment RequestHeaderSectionTooLarge RequestIsNotMultiPartContent UnexpectedContent
    UserKeyMustBeSpecified AccessControlListNotSupported AccessPointAlreadyOwnedByYou AmbiguousGrantByEmailAddress
    BucketAlreadyExists BucketAlreadyOwnedByYou BucketHasAccessPointsAttached BucketNotEmpty
    CrossLocationLoggingProhibited DeviceNotActiveError EntityTooSmall IllegalVersioningConfigurationException
    IncorrectNumberOfFilesInPostRequest InlineDataTooLarge InvalidBucketAclWithObjectOwnership InvalidPart
    InvalidPartOrder InvalidPolicyDocument InvalidTargetBucketForLogging MalformedACLError MalformedPOSTRequest
    MalformedPolicy MaxPostPreDataLengthExceededError NoLoggingStatusForKey NoSuchAsyncRequest NoSuchBucketPolicy
    NoSuchCORSConfiguration NoSuchConfiguration NoSuchLifecycleConfiguration NoSuchObjectLockConfiguration NoSuchTagSet
    NoSuchUpload NoSuchWebsiteConfiguration NoTransformationDefined NotDeviceOwnerError NotModified
    ObjectAlreadyInActiveTierError ObjectLockConfigurationNotFoundError OwnershipControlsNotFoundError
    RequestTorrentOfBucketError TagPolicyException TooManyAccessPoints TooManyBuckets
    TooManyMultiRegionAccessPointregionsError TooManyMultiRegionAccessPoints UnresolvableGrantByEmailAddress`,
};

/** Every error of SQS, and those that are common to the services of AWS. */
const SQS: Readonly<Partial<Record<FailureCode, string>>> = {
  KMS_REFUSED: 'KmsAccessDenied KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsNotFound KmsOptInRequired',
  THROTTLED: 'KmsThrottled OverLimit RequestThrottled ThrottlingException',
  QUEUE_NOT_FOUND: 'QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue InvalidAddress',
  SERVICE_UNAVAILABLE: 'QueueDeletedRecently PurgeQueueInProgress InternalFailure ServiceUnavailable',
  RUN_SUPERSEDED: 'ReceiptHandleIsInvalid MessageNotInflight InvalidIdFormat',
  CREDENTIALS: `AccessDeniedException ExpiredTokenException IncompleteSignature InvalidClientTokenId
    InvalidSignatureException NotAuthorized UnrecognizedClientException MissingAuthenticationToken`,
  ACCOUNT_PROBLEM: 'OptInRequired',
  CLOCK_SKEWED: 'RequestExpired',
  CONFIG_INVALID: `InvalidSecurity UnsupportedOperation InvalidAttributeName InvalidAttributeValue InvalidMessageContents
    InvalidBatchEntryId BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest TooManyEntriesInBatchRequest
    QueueNameExists UnknownOperationException`,
};

const rows = (of: typeof S3): [string, string][] =>
  Object.entries(of).flatMap(([code, names]) => names.split(/\s+/).map((name): [string, string] => [name, code]));

describe('S3', () => {
  test.each(rows(S3))('%s is %s', (name, code) => {
    expect(meaningOfAwsError(named(name), 's3')).toBe(code);
  });
});

describe('SQS', () => {
  test.each(rows(SQS))('%s is %s', (name, code) => {
    expect(toFailure(named(name)).code).toBe(code);
  });
});

describe('the message decides where the name is the same', () => {
  const header = (headers: object): object => ({ $response: { headers } });
  test.each<[string, string, string, object?]>([
    [
      'AccessDenied',
      'User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on the resource',
      'KMS_REFUSED',
    ],
    ['AccessDenied', 'The ciphertext refers to a customer master key that does not exist', 'KMS_REFUSED'],
    [
      'AccessDenied',
      'not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/AWS KMS key"',
      'OBJECT_FORBIDDEN',
    ],
    [
      'InvalidRequest',
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
      'OBJECT_ENCRYPTED',
    ],
    [
      'InvalidArgument',
      'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5',
      'OBJECT_ENCRYPTED',
    ],
    ['InvalidSignatureException', 'Signature not yet current: 20260101T000000Z is still later than', 'CLOCK_SKEWED'],
    ['InvalidSignatureException', 'Signature expired: 20260101T000000Z is now earlier than', 'CLOCK_SKEWED'],
    ['SignatureDoesNotMatch', 'The request signature we calculated does not match', 'CREDENTIALS'],
    [
      'MethodNotAllowed',
      'not allowed against this resource',
      'OBJECT_NOT_FOUND',
      header({ 'x-amz-delete-marker': 'true' }),
    ],
    ['NotFound', 'UnknownError', 'OBJECT_NOT_FOUND', header({ 'x-amz-delete-marker': 'true' })],
  ])('%s: %s', (name, message, code, extra = {}) => {
    expect(meaningOfAwsError(named(name, message, extra), 's3')).toBe(code);
  });

  test('a queue that says no for the sake of its key, and a clock that is wrong', () => {
    expect(toFailure(named('AccessDenied', 'not authorized to perform: kms:Decrypt')).code).toBe('KMS_REFUSED');
    expect(toFailure(named('InvalidSignatureException', 'Signature expired: a is now earlier than b')).code).toBe(
      'CLOCK_SKEWED',
    );
  });
});

describe('a status without a name', () => {
  test.each([
    [301, 'STORE_MISCONFIGURED'],
    [307, 'SERVICE_UNAVAILABLE'],
    [400, null],
    [401, 'CREDENTIALS'],
    [403, 'OBJECT_FORBIDDEN'],
    [404, 'OBJECT_NOT_FOUND'],
    [405, 'STORE_MISCONFIGURED'],
    [409, 'SERVICE_UNAVAILABLE'],
    [410, 'OBJECT_NOT_FOUND'],
    [412, 'OBJECT_CHANGED'],
    [416, 'OBJECT_CHANGED'],
    [429, 'THROTTLED'],
    [503, 'SERVICE_UNAVAILABLE'],
  ])('%i of S3 is %s', (httpStatusCode, code) => {
    expect(meaningOfAwsError(named('Unknown', 'x', { $metadata: { httpStatusCode } }), 's3')).toBe(code);
  });
});
