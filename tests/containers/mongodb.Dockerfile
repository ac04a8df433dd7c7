# The stand-in for MongoDB of the tests (docs/decisions/0009).
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY bin /standin/scripts/secantusd-rs
COPY libs /standin/secantusdb.libs
RUN chmod +x /standin/scripts/secantusd-rs && mkdir -p /data/db /data/configdb && chown -R 999:999 /data
WORKDIR /data
