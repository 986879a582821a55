# tenantgate and the demo's user-service in one small image.
#
#   docker build -t tenantgate .
#   docker run --read-only -p 8443:8443 -v ./etc:/etc/tenantgate:ro -v tenantgate:/var/lib/tenantgate tenantgate
#
# The file to serve by is /etc/tenantgate/tenantgate.yaml; it says `ledger: sqlite:/var/lib/tenantgate/tenantgate.db`
# and, for the health check, `probes: {address: 127.0.0.1:9900}`. Secrets and keys are files readable by user 10001.

FROM swift:6.3-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY config/setup config/setup
RUN config/setup
# The dependencies change less often than the sources: they get a layer of their own.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build --configuration release --static-swift-stdlib --product tenantgate \
 && swift build --configuration release --static-swift-stdlib --product user-service \
 && install -D --strip -t /programs "$(swift build --configuration release --static-swift-stdlib --show-bin-path)"/{tenantgate,user-service}

FROM debian:bookworm-slim
COPY config/setup /tmp/setup
RUN /tmp/setup --runtime && rm -rf /tmp/setup /var/lib/apt/lists/* \
 && groupadd --gid 10001 tenantgate \
 && useradd --uid 10001 --gid tenantgate --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tenantgate \
 && install -d -o tenantgate -g tenantgate -m 0700 /var/lib/tenantgate
COPY --from=build /programs/ /usr/local/bin/
COPY config/healthcheck /usr/local/bin/healthcheck
COPY config/dialects /etc/tenantgate/dialects
COPY LICENSE /usr/share/doc/tenantgate/copyright

USER 10001:10001
WORKDIR /var/lib/tenantgate
VOLUME /var/lib/tenantgate
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["healthcheck", "127.0.0.1", "9900"]
ENTRYPOINT ["tenantgate"]
CMD ["serve", "--config", "/etc/tenantgate/tenantgate.yaml"]
