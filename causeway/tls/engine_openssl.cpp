// The engine's other half: what OpenSSL calls, and what it is asked once the handshake is done.

#include "causeway/base/address.h"
#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/context_parts.h"
#include "causeway/tls/engine.h"
#include "causeway/tls/failure.h"
#include "causeway/tls/identity_parts.h"

#include <algorithm>

namespace causeway::tls {
namespace {

Engine& engine_of(const SSL* ssl) { return *static_cast<Engine*>(SSL_get_app_data(ssl)); }
Engine& engine_of(BIO* bio) { return *static_cast<Engine*>(BIO_get_data(bio)); }

std::span<std::byte> room(char* bytes, std::size_t count) {
    return {reinterpret_cast<std::byte*>(bytes), count};
}

int bio_read(BIO* bio, char* bytes, std::size_t capacity, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    *count = engine_of(bio).take(room(bytes, capacity));
    if (*count > 0) return 1;
    BIO_set_retry_read(bio);
    return 0;
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    engine_of(bio).put(as_bytes({bytes, size}));
    *count = size;
    return 1;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* bio_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "causeway");
        BIO_meth_set_read_ex(made, bio_read);
        BIO_meth_set_write_ex(made, bio_write);
        BIO_meth_set_ctrl(made, bio_control);
        return made;
    }();
    return method;
}

void on_message(int is_written, int, int type, const void* bytes, std::size_t size, SSL* ssl,
                void*) {
    engine_of(ssl).watch().saw(is_written == 1, type,
                               view(static_cast<const unsigned char*>(bytes), size));
}

void on_info(const SSL* ssl, int where, int) {
    if (where & SSL_CB_HANDSHAKE_DONE) engine_of(ssl).handshake_done();
}

int on_verify(X509_STORE_CTX* store, void*) {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return engine_of(ssl).verify(store);
}

int on_server_name(SSL* ssl, int* alert, void*) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return engine_of(ssl).choose_identity();
}

int on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned offered_size, void*) {
    return engine_of(ssl).choose_protocol(chosen, size, view(offered, offered_size));
}

bool is_for(const CertificateInfo& certificate, const std::string& server_name) {
    const auto parsed = parse_certificate(certificate.der);
    return parsed && X509_check_host(parsed.get(), server_name.data(), server_name.size(),
                                     X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

/// What the other side gave to the key exchange; nothing when there was none, or it is not kept.
KeyPtr temporary_key(SSL* ssl) {
    EVP_PKEY* key = nullptr;
    SSL_ctrl(ssl, SSL_CTRL_GET_PEER_TMP_KEY, 0, static_cast<void*>(&key));
    return KeyPtr(key);
}

std::string group_name(SSL* ssl) {
    // The negotiated group is kept for both sides in TLS 1.3; in TLS 1.2 a client has the server's
    // key, whose type or curve names it.
    if (const auto group = SSL_get_negotiated_group(ssl); group > 0 && group != NID_undef)
        if (const char* text = OBJ_nid2sn(static_cast<int>(group))) return text;
    const auto key = temporary_key(ssl);
    if (!key) return {};
    char curve[64] = {};
    if (EVP_PKEY_get_group_name(key.get(), curve, sizeof curve, nullptr) == 1) return curve;
    const char* type = EVP_PKEY_get0_type_name(key.get());
    return type ? type : "";
}

}  // namespace

void install_callbacks(SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, on_verify, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_alpn_select_cb(context, on_protocols, nullptr);
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_info_callback(context, on_info);
}

void Engine::set_up() {
    ssl_.reset(SSL_new(context_->parts().context.get()));
    BIO* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
    if (!bio) return fail_by_openssl();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    if (context_->is_server()) return SSL_set_accept_state(ssl_.get());
    SSL_set_connect_state(ssl_.get());
    const auto& name = settings_.server_name;
    // "Literal IPv4 and IPv6 addresses are not permitted in HostName" (RFC 6066, section 3).
    if (name.empty() || IpAddress::parse(name)) return;
    if (SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) != 1)
        fail_with(Error{Tls::errSSLConfigurationFailed,
                        "the name " + printable(name) + " cannot be asked for"});
}

int Engine::weak_group_bits() const {
    const auto key = temporary_key(ssl_.get());
    if (!key) return 0;
    const int bits = EVP_PKEY_get_bits(key.get());
    const bool is_weak = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_DH &&
                         bits < context_->parts().policy.diffie_hellman_bits;
    return is_weak ? bits : 0;
}

int Engine::verify(X509_STORE_CTX* store) {
    const auto& parts = context_->parts();
    const ChainRules rules{.policy = parts.policy,
                           .pins = parts.trust.pins,
                           .checks_revocation = parts.checks_revocation,
                           .peer_name = parts.is_server ? std::string() : settings_.server_name,
                           .trusted = parts.trusted,
                           .now = wall_now()};
    auto verdict = judge_chain(store, rules);
    if (parts.is_server && parts.refusal == Refusal::words) {
        summary_.peer_fault = std::move(verdict.fault);
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(store, verdict.x509);
    if (!verdict.fault) return 1;
    chain_fault_ = std::move(verdict.fault);
    return 0;
}

int Engine::choose_identity() {
    if (!context_->is_server()) return SSL_TLSEXT_ERR_OK;
    const char* asked = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    watch_.facts.server_name = asked ? printable(asked) : std::string();
    if (!is_connected()) watch_.events.push_back(ClientHelloSeen{watch_.facts.server_name});
    if (!asked) return SSL_TLSEXT_ERR_OK;
    const auto& parts = context_->parts();
    if (parts.identities.size() == 1 && !parts.refuse_unknown_names) return SSL_TLSEXT_ERR_OK;
    for (const auto& identity : parts.identities) {
        if (!is_for(identity.certificate(), asked)) continue;
        const bool is_default = &identity == &parts.identities.front();
        if (is_default || install(identity, ssl_.get())) return SSL_TLSEXT_ERR_OK;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return parts.refuse_unknown_names ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

int Engine::choose_protocol(const unsigned char** chosen, unsigned char* size,
                            ByteView offered) const {
    const auto& wanted = context_->parts().protocols;
    if (wanted.empty()) return SSL_TLSEXT_ERR_NOACK;
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, raw(wanted), static_cast<unsigned>(wanted.size()),
                              raw(offered), static_cast<unsigned>(offered.size()));
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void Engine::fill_summary() {
    auto* ssl = ssl_.get();
    summary_.version = static_cast<Version>(SSL_version(ssl));
    if (const auto* cipher = SSL_get_current_cipher(ssl)) {
        summary_.suite = SSL_CIPHER_get_protocol_id(cipher);
        const char* standard = SSL_CIPHER_standard_name(cipher);
        summary_.suite_name = standard ? standard : SSL_CIPHER_get_name(cipher);
    }
    summary_.group = group_name(ssl);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    summary_.protocol = std::string(as_text(view(protocol, size)));
    summary_.server_name = watch_.facts.server_name;

    summary_.peer_chain.clear();
    const CertificatePtr leaf(SSL_get1_peer_certificate(ssl));
    // A client's list holds its leaf, a server's view of a client's chain does not.
    if (context_->is_server() && leaf) summary_.peer_chain.push_back(info_of(leaf.get()));
    const auto* chain = SSL_get_peer_cert_chain(ssl);
    for (int i = 0; i < sk_X509_num(chain); ++i)
        summary_.peer_chain.push_back(info_of(sk_X509_value(chain, i)));

    const auto& parts = context_->parts();
    const bool is_missing =
        parts.is_server && !leaf && parts.client_certificate == ClientCertificate::required;
    if (is_missing)
        summary_.peer_fault = Error{Tls::errSSLCertificateRequired,
                                    "a client certificate is required and none was shown"};
    ERR_clear_error();
}

}  // namespace causeway::tls
