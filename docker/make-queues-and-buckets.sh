#!/bin/bash
# Run by LocalStack when it is ready: what .env.example names.
set -euo pipefail
region=ap-northeast-2

awslocal --region "$region" sqs create-queue --queue-name video-upload-dlq \
  --attributes '{"MessageRetentionPeriod":"1209600"}'
redrive="{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:$region:000000000000:video-upload-dlq\\\",\\\"maxReceiveCount\\\":\\\"5\\\"}"
awslocal --region "$region" sqs create-queue --queue-name video-upload --attributes \
  "{\"ReceiveMessageWaitTimeSeconds\":\"20\",\"MessageRetentionPeriod\":\"345600\",\"VisibilityTimeout\":\"900\",\"RedrivePolicy\":\"$redrive\"}"
for bucket in video-uploads video-highlights; do
  awslocal --region "$region" s3api create-bucket --bucket "$bucket" \
    --create-bucket-configuration "LocationConstraint=$region"
done
