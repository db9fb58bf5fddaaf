"""Objects in object stores as targets, over a small server with the interface of S3."""

from __future__ import annotations

import numpy as np
import pytest
from s3_server import SECRET

import cogsmith


PIXELS = np.random.default_rng(1).integers(0, 4096, (3000, 2900), dtype="uint16")
GEO = {"crs": 32633, "transform": (10, 0, 300_000, 0, -10, 5_000_000)}


def test_arrays_have_the_bytes_of_files(server, storage):
    written = cogsmith.write(PIXELS, "s3://bucket/large.tif", storage_options=storage, **GEO)
    assert written == "s3://bucket/large.tif"
    assert server.objects["/bucket/large.tif"] == cogsmith.write(PIXELS, ":mem:", **GEO)
    assert ("PUT", ("partNumber", "uploadId")) in server.log and not server.uploads
    cogsmith.write_cog(PIXELS[:300], "s3://bucket/small.tif", storage_options=storage, **GEO)
    assert server.objects["/bucket/small.tif"] == cogsmith.to_cog(PIXELS[:300], **GEO)
    contiguous = {**storage, "contiguous_parts": True}
    cogsmith.write(PIXELS, "/vsis3/bucket/contiguous.tif", storage_options=contiguous, **GEO)
    assert server.objects["/bucket/contiguous.tif"] == server.objects["/bucket/large.tif"]


def test_supplied_overviews_and_rows_are_uploaded_too(server, storage):
    levels = [PIXELS[::2, ::2], PIXELS[::4, ::4]]
    cogsmith.write(PIXELS, "s3://bucket/levels.tif", overviews=levels, storage_options=storage)
    assert server.objects["/bucket/levels.tif"] == cogsmith.write(PIXELS, ":mem:", overviews=levels)
    with cogsmith.CogWriter("s3://bucket/rows.tif", shape=PIXELS.shape, dtype="uint16", storage_options=storage) as writer:
        for row in range(0, 3000, 500):
            writer.push(PIXELS[row : row + 500])
    assert server.objects["/bucket/rows.tif"] == cogsmith.write(PIXELS, ":mem:", predictor="auto")


def test_files_are_converted_to_objects(server, storage, tmp_path):
    cogsmith.write(PIXELS, tmp_path / "in.tif", compress="lzw", **GEO)
    local = cogsmith.create(tmp_path / "in.tif", tmp_path / "out.tif")
    summary = cogsmith.create(
        tmp_path / "in.tif", "s3://bucket/out.tif", endpoint=storage["endpoint"],
        store_option=["access_key_id=AKIA", f"secret_access_key={SECRET}"],
    )  # fmt: skip
    assert summary["output"] == "s3://bucket/out.tif" and summary["bytes"] == local["bytes"]
    assert server.objects["/bucket/out.tif"] == (tmp_path / "out.tif").read_bytes()


def test_an_object_is_replaced_only_on_request(server, storage):
    cogsmith.write(PIXELS, "s3://bucket/a.tif", storage_options=storage)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        cogsmith.write(PIXELS + 1, "s3://bucket/a.tif", storage_options=storage)
    assert server.objects["/bucket/a.tif"] == cogsmith.write(PIXELS, ":mem:")
    cogsmith.write(PIXELS + 1, "s3://bucket/a.tif", overwrite=True, storage_options=storage)
    assert server.objects["/bucket/a.tif"] == cogsmith.write(PIXELS + 1, ":mem:")


def test_a_failed_source_leaves_nothing(server, storage):
    def stop(done: int, rows: int) -> None:
        if done > 1000:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        cogsmith.write(PIXELS, "s3://bucket/a.tif", progress=stop, storage_options=storage, row_memory=1, threads=1, compress="zstd", level=19)
    assert not server.objects and not server.uploads

    writer = cogsmith.CogWriter("s3://bucket/a.tif", shape=PIXELS.shape, dtype="uint16", storage_options=storage)
    writer.push(PIXELS[:2000])
    assert server.uploads
    writer.discard()
    assert not server.objects and not server.uploads


def test_errors_do_not_show_secrets(server, storage, tmp_path):
    for options, target, message in (
        ({**storage, "acces_key": SECRET}, "s3://bucket/a.tif", "option 'acces_key' of S3 is unknown"),
        ({**storage, "anon": SECRET}, "s3://bucket/a.tif", "neither|not yes or no"),
        ({**storage, "endpoint": f"http://user:{SECRET}@127.0.0.1:9", "max_retries": 0}, "s3://bucket/a.tif", "cannot be reached"),
        (storage, f"s3://user:{SECRET}@bucket/a.tif", "user information"),
        (storage, "s3://bucket", "without a key"),
        (storage, str(tmp_path / "a.tif"), "storage_options .* have no effect"),
        (storage, ":mem:", "storage_options .* have no effect"),
    ):
        with pytest.raises((OSError, ValueError), match=message) as caught:
            cogsmith.write(PIXELS[:100], target, storage_options=options)
        assert SECRET not in str(caught.value)
