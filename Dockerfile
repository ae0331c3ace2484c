# Hexhail in a container: docker build -t hexhail . && docker run -p 127.0.0.1:8080:8080 -v hexhail:/data hexhail

FROM golang:1.26-trixie AS build
WORKDIR /src
# Modules first: they change more rarely than the code.
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
ARG VERSION=""
ARG COMMIT=""
# cgo is needed for H3; the run stage has the same C library.
RUN CGO_ENABLED=1 go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/hexhail/hexhail/cmd/hexhail/internal/cli.version=${VERSION} \
        -X github.com/hexhail/hexhail/cmd/hexhail/internal/cli.commit=${COMMIT}" \
      -o /out/hexhail ./cmd/hexhail \
 && install -d -m 0700 /out/data

FROM debian:trixie-slim
# hexhail backup and restore run pg_dump, pg_restore and psql, of docker-compose.yml's version of Postgres.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/*
# Certificates for outside issuers' https addresses.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/NOTICE /usr/share/doc/hexhail/
COPY --from=build /out/hexhail /usr/local/bin/hexhail
COPY --from=build --chown=65532:65532 /out/data /data
# In a container, other containers and the published port are "outside": listen for them. The
# operations listener stays on the loopback; the health check runs inside.
ENV HEXHAIL_LISTEN=0.0.0.0:8080 \
    HEXHAIL_DATA_DIR=/data \
    HEXHAIL_LOG_FORMAT=json
USER 65532:65532
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=80s --retries=3 CMD ["hexhail", "healthcheck"]
ENTRYPOINT ["hexhail"]
CMD ["serve"]
