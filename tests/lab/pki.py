"""Certificate authorities, and certificates with every defect, written as PEM files."""

import base64
import datetime
import hashlib
import ipaddress
import textwrap
import warnings
from pathlib import Path

import cryptography.utils
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DAY = datetime.timedelta(days=1)
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
# Weak digests are what some of these certificates are for.
warnings.simplefilter("ignore", cryptography.utils.CryptographyDeprecationWarning)

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def distinguished(common_name, user=None, group=None):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if user:
        parts.append(x509.NameAttribute(NameOID.USER_ID, user))
    if group:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, group))
    return x509.Name(parts)


def new_key(rsa_bits=None):
    if rsa_bits:
        return rsa.generate_private_key(65537, rsa_bits)
    return ec.generate_private_key(ec.SECP256R1())


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Identity:
    """A certificate, its key, and the certificates that go with it."""

    def __init__(self, folder, name, certificate, key, above=()):
        self.certificate = certificate
        self.private_key = key
        self.above = list(above)
        self.chain = Path(folder) / f"{name}.pem"
        self.key = Path(folder) / f"{name}.key"
        self.write_chain([certificate.public_bytes(DER), *(c.public_bytes(DER) for c in above)])
        self.key.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        # The programs under test read it after they have given root up.
        self.key.chmod(0o644)

    def write_chain(self, encoded):
        """Replaces the chain file by these DER certificates, well formed or not."""
        self.chain.write_text("".join(
            "-----BEGIN CERTIFICATE-----\n" +
            "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64)) +
            "\n-----END CERTIFICATE-----\n" for der in encoded))

    def break_signature(self):
        """Flips the last bit of the leaf's signature."""
        der = bytearray(self.certificate.public_bytes(DER))
        der[-1] ^= 1
        self.write_chain([bytes(der), *(c.public_bytes(DER) for c in self.above)])
        return self

    def without_issuers(self):
        """A chain file with the leaf alone."""
        self.write_chain([self.certificate.public_bytes(DER)])
        return self

    def with_root(self, authority):
        """A chain file that ends with the root."""
        self.write_chain([c.public_bytes(DER) for c in
                          [self.certificate, *self.above, authority.certificate]])
        return self

    def pin(self):
        spki = self.certificate.public_key().public_bytes(
            DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return "pin-sha256:" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


class Authority:
    """Issues certificates. Defects are given by name; without any a certificate is good."""

    def __init__(self, folder, name="lab root", parent=None, rsa_bits=None, ca=True, starts=-DAY,
                 ends=30 * DAY, path_length=None, permitted=None, digest=None, start_key=None):
        self.folder, self.name, self.parent = Path(folder), name, parent
        self.private_key = start_key or new_key(rsa_bits)
        builder = _builder(distinguished(name), parent, self, starts, ends)
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, path_length), True)
            builder = builder.add_extension(_usage(sign=True), True)
        else:
            builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        if permitted:
            builder = builder.add_extension(
                x509.NameConstraints([x509.DNSName(permitted)], None), True)
        signer = parent or self
        self.certificate = builder.sign(signer.private_key, digest or hashes.SHA256())
        self.file = self.folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(self.certificate.public_bytes(PEM))
        self.key = self.folder / f"{name.replace(' ', '-')}.key"
        self.key.write_bytes(self.private_key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.key.chmod(0o600)

    def issue(self, name, names=(), usage=SERVER, starts=-DAY, ends=10 * DAY, user=None,
              group=None, digest=None, rsa_bits=None, critical=None, common_name=None):
        """An identity for host names and addresses; `critical`: an unknown extension."""
        key = new_key(rsa_bits)
        subject = distinguished(common_name or name, user, group)
        builder = _builder(subject, self, None, starts, ends, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        builder = builder.add_extension(_usage(sign=False), True)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([alternative(n) for n in names]), False)
        if critical:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), critical), True)
        certificate = builder.sign(self.private_key, digest or hashes.SHA256())
        return Identity(self.folder, name, certificate, key, self.intermediates())

    def intermediates(self):
        """The certificates between a leaf of this authority and the root, nearest first."""
        above, authority = [], self
        while authority.parent:
            above.append(authority.certificate)
            authority = authority.parent
        return above

    def self_signed(self, name, names=()):
        """A server certificate that signs itself."""
        key = new_key()
        subject = distinguished(name)
        alternatives = x509.SubjectAlternativeName([alternative(n) for n in names])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now() - DAY).not_valid_after(now() + DAY)
                   .add_extension(alternatives, False)
                   .add_extension(x509.BasicConstraints(False, None), True))
        return Identity(self.folder, name, builder.sign(key, hashes.SHA256()), key)

    def revoke(self, *identities, name="crl"):
        """The file of a revocation list that names the identities."""
        builder = (x509.CertificateRevocationListBuilder()
                   .issuer_name(self.certificate.subject)
                   .last_update(now() - DAY).next_update(now() + 30 * DAY))
        for identity in identities:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(identity.certificate.serial_number)
                .revocation_date(now() - DAY).build())
        path = self.folder / f"{name}.pem"
        path.write_bytes(builder.sign(self.private_key, hashes.SHA256()).public_bytes(PEM))
        return path


def _usage(sign):
    return x509.KeyUsage(digital_signature=True, content_commitment=False,
                         key_encipherment=not sign, data_encipherment=False, key_agreement=False,
                         key_cert_sign=sign, crl_sign=sign, encipher_only=False,
                         decipher_only=False)


def _builder(subject, issuer, own, starts, ends, public_key=None):
    """What all certificates have; an authority without issuer (a root) issues itself."""
    signer = issuer or own
    issuer_name = issuer.certificate.subject if issuer else subject
    public_key = public_key or own.private_key.public_key()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name)
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(now() + starts).not_valid_after(now() + ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                signer.private_key.public_key()), False))


def small_group():
    """Parameters of a Diffie-Hellman group of 1024 bits (Oakley group 2 of RFC 2409), as PEM."""
    from cryptography.hazmat.primitives.asymmetric import dh
    prime = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22"
                "514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6"
                "F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381"
                "FFFFFFFFFFFFFFFF", 16)
    numbers = dh.DHParameterNumbers(prime, 2)
    return numbers.parameters().parameter_bytes(PEM, serialization.ParameterFormat.PKCS3).decode()
