#include "tests/support/tls_ends.h"

#include "causeway/base/text.h"

#include <algorithm>

namespace causeway::test {
namespace {

struct Telling {
    Seen& seen;
    std::string operator()(const tls::ClientHelloSeen& hello) const {
        return "hello(" + hello.server_name + ")";
    }
    std::string operator()(const tls::CertificateRequested&) const { return "requested"; }
    std::string operator()(const tls::HandshakeCompleted&) const { return "completed"; }
    std::string operator()(const tls::Data& data) const {
        seen.data += as_text(data.bytes);
        return "data:" + std::to_string(data.bytes.size());
    }
    std::string operator()(const tls::WarningAlert& alert) const {
        return "warning:" + std::to_string(alert.number);
    }
    std::string operator()(const tls::Rekeyed&) const { return "rekeyed"; }
    std::string operator()(const tls::Closed&) const { return "closed"; }
};

Bytes drain(tls::Stream& stream) {
    const auto pending = stream.pending();
    Bytes bytes(pending.begin(), pending.end());
    stream.sent(bytes.size());
    return bytes;
}

bool carry(tls::Stream& from, tls::Stream& to, Seen& seen, std::size_t step) {
    const auto bytes = drain(from);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        to.feed(ByteView(bytes).subspan(at, std::min(step, bytes.size() - at)), test_start);
        take(to, seen);
    }
    return !bytes.empty();
}

}  // namespace

void take(tls::Stream& stream, Seen& seen) {
    while (true) {
        auto event = stream.next();
        if (!event) {
            seen.failure = event.error();
            return;
        }
        if (!*event) return;
        const auto word = std::visit(Telling{seen}, **event);
        seen.story += seen.story.empty() ? word : " " + word;
        seen.events.push_back(std::move(**event));
    }
}

std::string code_text(const std::optional<Error>& failure) {
    if (!failure) return "none";
    std::string text;
    for (const Error* at = &*failure; at; at = at->cause.get())
        text += (text.empty() ? "" : " <- ") + std::to_string(at->code.number());
    return text;
}

RawPeer::RawPeer(SSL_CTX* context, bool is_server) : ssl_(SSL_new(context)) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    is_server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
}

void RawPeer::feed(ByteView bytes) {
    if (bytes.empty()) return;
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
}

Bytes RawPeer::output() {
    BIO* out = SSL_get_wbio(ssl_.get());
    Bytes bytes(BIO_ctrl_pending(out));
    if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

void RawPeer::run() {
    ERR_clear_error();
    if (SSL_do_handshake(ssl_.get()) == 1) {
        char buffer[16384];
        int count = 0;
        while ((count = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0)
            data.append(buffer, static_cast<std::size_t>(count));
    }
    ERR_clear_error();
}

tls::ContextPtr raw_server_context(const Issued& identity, const std::vector<Issued>& chain) {
    tls::ContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_use_certificate(context.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
    for (const auto& issuer : chain)
        SSL_CTX_add1_chain_cert(context.get(), issuer.certificate.get());
    SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_num_tickets(context.get(), 0);
    return context;
}

tls::ContextPtr raw_client_context() {
    tls::ContextPtr context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    return context;
}

void connect(tls::Stream& client, Seen& client_seen, tls::Stream& server, Seen& server_seen,
             std::size_t step) {
    take(client, client_seen);
    take(server, server_seen);
    bool is_moving = true;
    while (is_moving) {
        is_moving = carry(client, server, server_seen, step);
        is_moving = carry(server, client, client_seen, step) || is_moving;
    }
}

void connect(tls::Stream& ours, Seen& seen, RawPeer& peer, const Relay& to_ours,
             const Relay& to_peer) {
    take(ours, seen);
    peer.run();
    while (true) {
        auto out = drain(ours);
        auto back = peer.output();
        if (out.empty() && back.empty()) return;
        if (to_peer && !out.empty()) out = to_peer(std::move(out));
        if (to_ours && !back.empty()) back = to_ours(std::move(back));
        peer.feed(out);
        peer.run();
        if (!back.empty()) ours.feed(back, test_start);
        take(ours, seen);
    }
}

std::vector<Bytes> records_of(ByteView bytes) {
    std::vector<Bytes> records;
    while (bytes.size() >= 5) {
        const auto size =
            std::min(bytes.size(), std::size_t{5} + big_endian_16(bytes.subspan(3, 2)));
        records.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
    }
    if (!bytes.empty()) records.emplace_back(bytes.begin(), bytes.end());
    return records;
}

}  // namespace causeway::test
