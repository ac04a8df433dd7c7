# Debian's RabbitMQ with the names that docker-compose.yml uses of the official image.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends rabbitmq-server \
 && mkdir -p /var/lib/rabbitmq /var/log/rabbitmq && chown -R 999:999 /var/lib/rabbitmq /var/log/rabbitmq \
 && rm -f /var/lib/rabbitmq/.erlang.cookie \
 && printf '#!/bin/sh\nexec "$@"\n' > /usr/local/bin/docker-entrypoint.sh && chmod +x /usr/local/bin/docker-entrypoint.sh
# Debian's own commands change the user, which a container without capabilities cannot.
ENV PATH=/usr/lib/rabbitmq/bin:$PATH HOME=/var/lib/rabbitmq RABBITMQ_LOGS=- RABBITMQ_LOG_BASE=/tmp
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["rabbitmq-server"]
