# The processor of chaos on top of the image `consumer`.
ARG CONSUMER_IMAGE
FROM ${CONSUMER_IMAGE}
COPY chaos/processor.ts tests/chaos/
COPY system/recorder.ts system/monotonic.ts tests/system/
COPY containers/processor.ts tests/containers/
