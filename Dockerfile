# The image of kai: one static binary and the authorities that it trusts, on nothing. `make image` builds it.
#
#   RUST_IMAGE           what builds: Debian with gcc and the compiler of rust-toolchain.toml
#   KUBECONFIG           a kubeconfig of the build context to bake in as /.kube/config; without it none is
#   VERSION, REVISION, TREE_STATE, SOURCE_DATE_EPOCH, SOURCE
#                        what `kai version` and the labels say; the context has no git
#
# Each architecture is built on a machine of its own, or on one that the engine emulates: nothing is cross-compiled.
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-slim-bookworm

FROM ${RUST_IMAGE} AS build
ARG TARGETARCH
ENV CARGO_HOME=/cache/cargo CARGO_TARGET_DIR=/cache/target
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs LICENSE ./
COPY benches benches
COPY config config
COPY src src
ARG REVISION
ARG TREE_STATE
ARG SOURCE_DATE_EPOCH
# Downloaded and compiled dependencies stay in the engine's cache, so that a change of kai compiles kai alone. The glibc of
# the build is linked in: its resolver knows files and DNS without a library at run time, and that is all a pod needs.
RUN --mount=type=cache,id=kai-cargo,target=/cache/cargo,sharing=locked \
    --mount=type=cache,id=kai-target,target=/cache/target,sharing=locked \
    set -eu; \
    host=$(rustc -vV | sed -n 's/^host: //p'); \
    case "$TARGETARCH" in \
        '') target=$host ;; \
        amd64) target=x86_64-unknown-linux-gnu ;; \
        arm64) target=aarch64-unknown-linux-gnu ;; \
        *) echo "Dockerfile: kai is built for amd64 and arm64, not for TARGETARCH=$TARGETARCH" >&2; exit 1 ;; \
    esac; \
    if [ "$host" != "$target" ]; then \
        echo "Dockerfile: $target is asked for, but this stage runs on $host; build on such a machine, or with --platform" >&2; \
        exit 1; \
    fi; \
    export KAI_GIT_COMMIT="$REVISION" KAI_GIT_TREE_STATE="$TREE_STATE" SOURCE_DATE_EPOCH; \
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --bin kai --target "$target"; \
    install -D -m 0755 "/cache/target/$target/release/kai" /image/usr/bin/kai

# The authorities of the base, and a resolver that asks no library. A default that is a file of the context stands for no
# kubeconfig: COPY takes no empty name.
ARG KUBECONFIG=LICENSE
COPY ${KUBECONFIG} /given/kubeconfig
RUN set -eu; \
    install -D -m 0444 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    install -D -m 0444 LICENSE /image/licenses/LICENSE; \
    echo 'hosts: files dns' >/image/etc/nsswitch.conf; \
    chmod 0444 /image/etc/nsswitch.conf; \
    mkdir /image/.kube; \
    if [ "$KUBECONFIG" != LICENSE ]; then install -m 0444 /given/kubeconfig /image/.kube/config; fi

FROM scratch
ARG VERSION
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="kai" \
      org.opencontainers.image.description="Knows which container images run in a Kubernetes cluster, right now, where, and since when" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /image/ /
# HOME: `-v ~/.kube/config:/.kube/config` is found. The listen default is for a pod; `server.listen` beats it.
ENV PATH=/usr/bin HOME=/ KAI_SERVER_LISTEN_DEFAULT=[::]:8080
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/usr/bin/kai", "probe", "http://127.0.0.1:8080/livez"]
ENTRYPOINT ["kai"]
