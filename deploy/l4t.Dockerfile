# A run in a container on a Jetson board with JetPack 6: TensorRT and CUDA are the image's. On the board, from the root of
# a checkout; BASE has to be of the board's own L4T release:
#   docker build -f deploy/l4t.Dockerfile -t edge-arseg .
#   docker run --rm --runtime nvidia --network host --device /dev/video0 -v "$PWD:/home/edge/work" -w /home/edge/work \
#       -v /etc/nv_boot_control.conf:/etc/nv_boot_control.conf:ro -v /etc/nv_tegra_release:/etc/nv_tegra_release:ro \
#       edge-arseg run 0 --serve -b mine-jetson-orin-nano-8gb.arseg
# /etc/nv_boot_control.conf says which module this is; the device tree does not show in a container.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0
FROM ${BASE} AS wheel
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /source
RUN python3 -m pip install --no-cache-dir build
COPY . .
RUN python3 -m build --wheel --outdir /wheel

FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-dev python3-pip python3-venv python3-libnvinfer g++ \
    && rm -rf /var/lib/apt/lists/*
COPY --from=wheel /wheel /wheel
# TensorRT belongs to the system's Python, and is seen from here by --system-site-packages alone. pycuda is compiled.
RUN python3 -m venv --system-site-packages /opt/edge-arseg \
    && PATH=/usr/local/cuda/bin:$PATH /opt/edge-arseg/bin/pip install --no-cache-dir "$(ls /wheel/*.whl)[serve]" pycuda \
    && rm -r /wheel && useradd --create-home --groups video edge
ENV PATH=/opt/edge-arseg/bin:/usr/local/cuda/bin:$PATH
USER edge
WORKDIR /home/edge
VOLUME /home/edge/.cache
EXPOSE 8008
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8008/healthz', timeout=4)"]
ENTRYPOINT ["edge-arseg"]
CMD ["--help"]
