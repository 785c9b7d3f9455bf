# A run in a container on x86, CPU alone. From the root of a checkout:
#   docker build -f deploy/x86.Dockerfile -t edge-arseg .
#   docker run --rm -p 8008:8008 edge-arseg run test://street --realtime --serve 0.0.0.0:8008
ARG PYTHON=3.12
FROM python:${PYTHON}-slim-bookworm AS wheel
WORKDIR /source
RUN pip install --no-cache-dir build
COPY . .
RUN python -m build --wheel --outdir /wheel

FROM python:${PYTHON}-slim-bookworm
COPY --from=wheel /wheel /wheel
RUN pip install --no-cache-dir "$(ls /wheel/*.whl)[serve,openvino]" && rm -r /wheel \
    && useradd --create-home --groups video edge
USER edge
WORKDIR /home/edge
# Where the choice of engine and compiled graphs are kept; a volume saves the first start of the next container.
VOLUME /home/edge/.cache
EXPOSE 8008
STOPSIGNAL SIGTERM
# Of a run with --serve; a container without a page has no health.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8008/healthz', timeout=4)"]
ENTRYPOINT ["edge-arseg"]
CMD ["--help"]
