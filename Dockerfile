# One image for the API, the consumer and the command `lanekeeper`; the command chooses. Any base image with Node 24 and npm will do.
ARG BASE_IMAGE=node:24.21.0-slim
FROM ${BASE_IMAGE}

WORKDIR /app
ENV NODE_ENV=production

# The optional packages are Node.js itself, for machines with an older one; the base image has Node 24.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# The API reads its routes here.
COPY infra/functions.yml infra/
COPY functions functions
COPY lib lib
COPY tools tools
RUN ln -s /app/tools/lanekeeper.ts /usr/local/bin/lanekeeper

# By number, because not every base image has a user named node.
USER 1000:1000
EXPOSE 3000 9464 9465
CMD ["node", "functions/api.ts"]
