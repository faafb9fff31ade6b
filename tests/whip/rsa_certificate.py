"""A certificate of RSA for aiortc, which makes only such of ECDSA by itself."""

import datetime

from aiortc import RTCCertificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa


def rsa_certificate(connection):
    """Has `connection`, which has not begun, show another certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rsa")])
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )
    certificate = builder.sign(key, hashes.SHA256())
    connection._RTCPeerConnection__certificates = [RTCCertificate(key=key, cert=certificate)]
