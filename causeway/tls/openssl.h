// The only door to OpenSSL: its headers, owners for what it allocates, and its queue of reasons.
//
// Private to this layer: no public header includes it.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/clock.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::tls {

template <auto free>
struct OpensslDeleter {
    template <typename Object>
    void operator()(Object* object) const {
        free(object);
    }
};

using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, OpensslDeleter<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using NameListPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;
using StorePtr = std::unique_ptr<X509_STORE, OpensslDeleter<X509_STORE_free>>;

/// Lets OpenSSL read its configuration (OPENSSL_CONF). Before anything else: asked to do some work
/// first, it would load its default modules and ignore what the configuration says of them.
void start_openssl();

/// One entry of OpenSSL's error queue.
struct OpensslFault {
    int library = 0;  ///< ERR_LIB_…
    int reason = 0;   ///< SSL_R_… and the like.
    std::string text;
};

/// Empties this thread's queue, oldest entry first.
std::vector<OpensslFault> take_openssl_faults();
/// "bad record type; internal error": each text once.
std::string openssl_reason(const std::vector<OpensslFault>& faults);

/// A BIO that reads from memory which must outlive it.
BioPtr reading(std::string_view text);

/// A name as RFC 2253 writes it, in UTF-8, with foreign text made safe to show.
std::string text_of(const X509_NAME* name);
/// A date of a certificate or list; nothing when it cannot be read.
std::optional<WallTime> time_of(const ASN1_TIME* time);
/// SHA-256 of some bytes.
Bytes sha256(ByteView bytes);
/// The DER encoding.
Bytes der_of(const X509* certificate);

inline const unsigned char* raw(ByteView bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline ByteView view(const unsigned char* bytes, std::size_t count) {
    return {reinterpret_cast<const std::byte*>(bytes), count};
}

}  // namespace causeway::tls
