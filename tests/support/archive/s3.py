"""An S3 server of moto on this machine."""

from contextlib import contextmanager

import pytest


@contextmanager
def s3_server():
    """A file system with an empty bucket ``cars``; processes that are started meanwhile find the server too."""
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIASECRET")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        fsspec.filesystem("s3").clear_instance_cache()
        store = fsspec.filesystem("s3", use_listings_cache=False)
        store.mkdir("cars")
        yield store
        store.rm("cars", recursive=True)  # moto's buckets are those of the process
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()
