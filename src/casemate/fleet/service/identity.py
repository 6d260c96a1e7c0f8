"""The folder with which a controller shows who it is."""

from __future__ import annotations

from pathlib import Path

from casemate.core.private_folder import private_folder
from casemate.core.secret_file import make_once
from casemate.fleet.access import certificates
from casemate.fleet.service.home import Home


def write_identity(place: Home, folder: Path, made: certificates.Made) -> None:
    """Write a controller's certificate, its key and the authority into a private folder."""
    private_folder(folder)
    make_once(folder / certificates.KEY, made.key)
    make_once(folder / certificates.CERTIFICATE, made.certificate)
    make_once(folder / certificates.CA, (place.tls / certificates.CA).read_bytes())
