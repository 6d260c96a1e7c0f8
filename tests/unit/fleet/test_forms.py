"""Forms with files: what a browser sends is read to the byte, what is odd is refused."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.fleet.errors import RefusedError
from casemate.fleet.web import forms

KIND = "multipart/form-data; boundary=edge"
NAMED = b'Content-Disposition: form-data; name="b"'
PART = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'


@settings(max_examples=40)
@given(text=st.text(max_size=50), data=st.binary(max_size=400))
def test_what_another_program_sends_is_read(text: str, data: bytes) -> None:
    request = httpx.Request("POST", "http://x", data={"a": text}, files={"f": ("n", data)})
    texts, files = forms.parse(request.headers["content-type"], request.read())
    assert (texts, files) == ({"a": text}, {"f": data})


@settings(max_examples=40)
@given(body=st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    for each in (body, b"--edge\r\n" + body, PART + body, PART + body + b"\r\n--edge--"):
        try:
            texts, files = forms.parse(KIND, each)
        except RefusedError:
            continue
        assert len(texts) + len(files) == each.count(b"--edge\r\n")
        assert each.startswith(b"--edge\r\n") and each.removesuffix(b"\r\n").endswith(b"--edge--")


@pytest.mark.parametrize(
    ("kind", "body"),
    (
        (KIND, b""), (KIND, PART), (KIND, PART + PART + b"--edge--"),
        (KIND, PART + b"--edge-"), ("text/plain", PART + b"--edge--"), ("", PART + b"--edge--"),
        (KIND + "; x=y", PART + b"--edge--"), (KIND, b"x" + PART + b"--edge--"),
        (KIND, PART.replace(b'"a"', b'"a\x00"') + b"--edge--"),
        (KIND, PART.replace(b"form-data", b"file") + b"--edge--"),
        (KIND, PART.replace(b"\r\n\r\nx", b"\r\n" + NAMED + b"\r\n\r\nx") + b"--edge--"),
        (KIND, PART.replace(b"x\r\n", b"\xff\r\n") + b"--edge--"),
        (KIND, b"".join(PART.replace(b'"a"', b'"a%d"' % n) for n in range(21)) + b"--edge--"),
    ),
)  # fmt: skip
def test_what_is_odd_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(RefusedError):
        forms.parse(kind, body)
    assert forms.parse(KIND, PART + b"--edge--\r\n") == ({"a": "x"}, {})
