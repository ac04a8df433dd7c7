# One image for the API and the consumer; the command chooses. Any base image with Node 24 and npm will do.
ARG BASE_IMAGE=node:24-slim
FROM ${BASE_IMAGE}

WORKDIR /app
ENV NODE_ENV=production

# The optional packages are Node itself, for machines that have an older one: the base image has it.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# The API reads its routes from serverless.yml.
COPY serverless.yml ./
COPY functions functions
COPY lib lib

# A number, because not every base image has a user of that name.
USER 1000:1000
EXPOSE 3000 9464
CMD ["node", "functions/api.ts"]
