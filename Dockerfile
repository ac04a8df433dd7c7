# Three images: `functions` for AWS Lambda, `gateway` for the HTTP API in a container, `consumer`. docs/images.md describes them.
# Any base image of Debian or Ubuntu with Node 24 and npm will do.
ARG BASE_IMAGE=node:24.21.0-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
# The gateway reads its routes here.
COPY infra/functions.yml infra/
# Answered to GET /openapi.json.
COPY docs/openapi.json docs/
COPY client client
COPY console console
COPY functions functions
COPY lib lib
COPY tools tools
RUN npm run -s bundle && npm run -s bundle:functions \
 && npm run -s sbom -- --images > dist/bundle/sbom.cdx.json && cp dist/bundle/sbom.cdx.json dist/functions

# Compiles the client that fetches the events of AWS Lambda.
FROM ${BASE_IMAGE} AS lambda-runtime
RUN apt-get update && apt-get install -y --no-install-recommends cmake g++ make python3 xz-utils
WORKDIR /lambda
COPY deploy/lambda ./
# The headers of Node are in its images; node-gyp would download them.
RUN npm_config_nodedir=/usr/local npm ci --no-audit --no-fund

FROM ${BASE_IMAGE} AS program
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION} \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.description="Every user a queue of their own: strictly ordered, one at a time, in parallel across users."
ENV NODE_ENV=production

FROM program AS functions
LABEL org.opencontainers.image.title="Lanekeeper functions for AWS Lambda"
WORKDIR /var/task
ENV LAMBDA_TASK_ROOT=/var/task
COPY --from=lambda-runtime /lambda/node_modules /lambda/node_modules
COPY --from=build /src/dist/functions ./
# By the Node that will read it, with the options that it will have: other compiled code is not taken.
RUN node -e "require('./functions/load.cjs').compile()"
# By number, because not every base image has a user named node.
USER 1000:1000
ENTRYPOINT ["node", "/lambda/node_modules/aws-lambda-ric/index.mjs"]
# The handler of the function, as infra/functions.yml names it.
CMD ["functions/livez.handler"]

FROM program AS server
ENV NODE_OPTIONS=--enable-source-maps
WORKDIR /app
RUN ln -s /app/tools/lanekeeper.js /usr/local/bin/lanekeeper
COPY --from=build /src/dist/bundle ./
USER 1000:1000

FROM server AS gateway
LABEL org.opencontainers.image.title="Lanekeeper API"
EXPOSE 3000 9465
CMD ["node", "functions/api.js"]

FROM server AS consumer
LABEL org.opencontainers.image.title="Lanekeeper consumer"
EXPOSE 9464
CMD ["node", "functions/consumer.js"]
