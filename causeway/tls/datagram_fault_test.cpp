#include "causeway/tls/datagram.h"
#include "tests/support/datagram_ends.h"

#include <doctest/doctest.h>

#include <cerrno>

namespace causeway::tls {
namespace {

using namespace causeway::test;
using namespace std::chrono_literals;

std::vector<Bytes> nothing(std::size_t, Bytes) { return {}; }

TEST_CASE("silence ends the handshake at its limit, and says what did not come") {
    DatagramPair pair(psk_settings(false), psk_settings(true));
    pair.to_server = nothing;
    pair.run_through();
    REQUIRE(pair.client.failure);
    CHECK(pair.client.failure->code == Code(Tls::errSSLNetworkTimeout));
    CHECK(pair.client.failure->detail == "the server's hello did not come within 10 seconds");
    CHECK(pair.client.failure->fact("peer_spoke") == "no");
    CHECK(pair.now == test_start + 10s);
    // After 0.4, 1.2, 2.8, 6 and 9.2 seconds.
    CHECK(pair.client.channel.facts().flights_resent == 5);
    CHECK(pair.sent_to_server == 6);
    CHECK(pair.client.channel.next().error().code == Code(Tls::errSSLNetworkTimeout));
}

TEST_CASE("a path that drops what is large is named by what is missing") {
    DatagramPair pair(psk_settings(false), psk_settings(true));
    pair.to_client = nothing;
    pair.run_through();
    REQUIRE(pair.server.failure.has_value() != pair.client.is_ready());
    pair.server.channel.advance(pair.now + 10s);
    pair.server.take();
    REQUIRE(pair.server.failure);
    CHECK(pair.server.failure->code == Code(Tls::errSSLNetworkTimeout));
    CHECK(pair.server.failure->fact("waited_for") == "the client's key and finish");
    CHECK(pair.server.failure->fact("peer_spoke") == "yes");
}

TEST_CASE("different keys are found out, and named by the side that can know") {
    auto other = psk_settings(false);
    std::get<PskKey>(other.key).key = Secret("another key of the same length..");
    DatagramPair pair(other, psk_settings(true));
    pair.run_through();
    pair.server.channel.advance(pair.now + 10s);
    pair.server.take();
    REQUIRE(pair.server.failure);
    CHECK(pair.server.failure->code == Code(Tls::errSSLDecryptionFail));
    CHECK(pair.server.failure->detail ==
          "the client's finish came and cannot be decrypted: the two sides have different keys");
    CHECK(pair.server.failure->fact("unreadable_records") != "");
    pair.client.channel.advance(pair.now + 10s);
    pair.client.take();
    REQUIRE(pair.client.failure);
    CHECK(pair.client.failure->code == Code(Tls::errSSLNetworkTimeout));
    CHECK(pair.client.failure->fact("waited_for") == "the server's finish");
}

TEST_CASE("different master secrets are found out by the client") {
    for (const auto suite : {std::uint16_t{0x009C}, std::uint16_t{0x002F}}) {
        auto other = resumed_settings(true, suite);
        std::get<ResumedKey>(other.key).master_secret = Secret(std::string(48, 'x'));
        DatagramPair pair(resumed_settings(false, suite), other);
        pair.run_through();
        pair.client.channel.advance(pair.now + 10s);
        pair.client.take();
        REQUIRE(pair.client.failure);
        CHECK(pair.client.failure->code == Code(Tls::errSSLDecryptionFail));
    }
}

TEST_CASE("no suite in common ends with an alert that the client sees") {
    DatagramPair pair(psk_settings(false, {0x00A8}), psk_settings(true, {0xCCAB}));
    pair.run();
    REQUIRE(pair.server.failure);
    CHECK(pair.server.failure->code == Code(Tls::errSSLNegotiation));
    CHECK(pair.server.failure->detail == "the two sides have no cipher suite in common");
    CHECK(pair.server.failure->fact("alert") == "40");
    CHECK(pair.server.failure->fact("alert_from") == "local");
    REQUIRE(pair.client.failure);
    CHECK(pair.client.failure->code == Code(Tls::errSSLPeerHandshakeFail));
    CHECK(pair.client.failure->fact("alert_from") == "peer");
    CHECK(pair.client.failure->find(Domain::alert) != nullptr);
}

TEST_CASE("a session that only one side knows is not replaced by another handshake") {
    SUBCASE("the server knows another session") {
        auto other = resumed_settings(true, 0x009C);
        std::get<ResumedKey>(other.key).session_id = Bytes(32, std::byte{7});
        DatagramPair pair(resumed_settings(false, 0x009C), other);
        pair.run();
        REQUIRE(pair.server.failure);
        CHECK(pair.server.failure->code == Code(Tls::errSSLNegotiation));
        REQUIRE(pair.client.failure);
        CHECK(pair.client.failure->code == Code(Tls::errSSLPeerHandshakeFail));
    }
    SUBCASE("the two sides mean different suites") {
        DatagramPair pair(resumed_settings(false, 0x009C), resumed_settings(true, 0x009D));
        pair.run();
        CHECK(pair.server.failure.has_value());
        CHECK(pair.client.failure.has_value());
    }
    SUBCASE("one side has a shared key instead") {
        DatagramPair pair(resumed_settings(false, 0x009C), psk_settings(true));
        pair.run();
        CHECK(pair.server.failure.has_value());
        CHECK(pair.client.failure.has_value());
    }
}

/// Plain OpenSSL with a certificate, which knows nothing of any agreement.
class Stranger {
public:
    Stranger(int lowest, int highest) {
        context_.reset(SSL_CTX_new(DTLS_server_method()));
        SSL_CTX_set_min_proto_version(context_.get(), lowest);
        SSL_CTX_set_max_proto_version(context_.get(), highest);
        SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
        const auto key = KeyPtr(EVP_RSA_gen(2048));
        const auto certificate = CertificatePtr(X509_new());
        X509_set_version(certificate.get(), 2);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        SSL_CTX_use_certificate(context_.get(), certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), key.get());
        SSL_CTX_set_psk_server_callback(context_.get(),
                                        [](SSL*, const char*, unsigned char* room, unsigned) {
                                            const auto shared = shared_key();
                                            std::ranges::copy(shared.reveal(), room);
                                            return 32U;
                                        });
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_options(ssl_.get(), SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(ssl_.get(), 1200);
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(ssl_.get());
    }
    /// Answers one flight of one datagram each way.
    void answer(DatagramEnd& client) {
        for (; !client.channel.pending().empty(); client.channel.sent()) {
            const auto datagram = client.channel.pending();
            BIO_write(SSL_get_rbio(ssl_.get()), datagram.data(), static_cast<int>(datagram.size()));
        }
        SSL_do_handshake(ssl_.get());
        ERR_clear_error();
        // The memory BIO joins datagrams; a record at a time is as good.
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
        const Bytes answer = copy(as_bytes({bytes, static_cast<std::size_t>(size)}));
        static_cast<void>(BIO_reset(SSL_get_wbio(ssl_.get())));
        if (!answer.empty()) client.feed(answer, test_start);
    }

private:
    ContextPtr context_;
    SslPtr ssl_;
};

TEST_CASE("a server that wants a full handshake in place of the agreed session is refused") {
    Stranger stranger(DTLS1_2_VERSION, DTLS1_2_VERSION);
    DatagramEnd client(resumed_settings(false, 0x009C));
    stranger.answer(client);
    REQUIRE(client.failure);
    CHECK(client.failure->code == Code(Tls::errSSLNegotiation));
    CHECK(client.failure->detail ==
          "the server does not resume the agreed session and wants a full handshake");
    CHECK(client.failure->fact("alert_from") == "local");
    CHECK_FALSE(client.channel.pending().empty());
}

TEST_CASE("a server that answers with an older version is named") {
    Stranger stranger(DTLS1_VERSION, DTLS1_VERSION);
    DatagramEnd client(resumed_settings(false, 0x002F));
    stranger.answer(client);
    REQUIRE(client.failure);
    CHECK(client.failure->code == Code(Tls::errSSLNegotiation));
    CHECK(client.failure->detail == "the server answers with DTLS 1.0, and DTLS 1.2 was offered");
    CHECK(client.failure->fact("alert") == "70");
    CHECK(client.failure->fact("alert_from") == "local");
}

TEST_CASE("a refused port ends the handshake and nothing later") {
    DatagramPair pair(psk_settings(false), psk_settings(true));
    pair.client.channel.feed_reset(ECONNREFUSED, test_start);
    pair.client.take();
    REQUIRE(pair.client.failure);
    CHECK(pair.client.failure->code == Code(Tls::errSSLConnectionRefused));
    CHECK(pair.client.failure->find(Code::raw(Domain::system, ECONNREFUSED)) != nullptr);

    DatagramPair ready(psk_settings(false), psk_settings(true));
    ready.run();
    ready.client.channel.feed_reset(ECONNREFUSED, test_start);
    ready.client.take();
    CHECK_FALSE(ready.client.failure);
}

TEST_CASE("settings that cannot work are refused") {
    const auto detail_of = [](DatagramSettings settings) {
        DatagramEnd end(std::move(settings));
        REQUIRE(end.failure);
        CHECK(end.failure->code == Code(Tls::errSSLConfigurationFailed));
        CHECK(end.channel.pending().empty());
        return end.failure->detail;
    };
    auto small = psk_settings(false);
    small.datagram_limit = 255;
    CHECK(detail_of(small) == "a handshake does not fit into datagrams of 255 bytes");
    auto keyless = psk_settings(true);
    std::get<PskKey>(keyless.key).key = {};
    CHECK(detail_of(keyless) == "a shared key of 0 bytes cannot be used");
    auto nameless = psk_settings(false);
    std::get<PskKey>(nameless.key).app_id = Bytes(33);
    CHECK(detail_of(nameless) == "a session name of 33 bytes does not fit into a hello");
    CHECK(detail_of(psk_settings(false, {0x009C})) ==
          "suite 0x009C cannot be used with a shared key");
    CHECK(detail_of(resumed_settings(false, 0x00A8)) == "suite 0x00A8 cannot be resumed here");
    auto cut = resumed_settings(true, 0x009C);
    std::get<ResumedKey>(cut.key).master_secret = Secret("short");
    CHECK(detail_of(cut) == "a master secret of 5 bytes cannot be used");
}

TEST_CASE("a queue that nobody takes from stays short") {
    DatagramEnd client(psk_settings(false));
    const auto made = client.channel.facts().datagrams_sent;
    CHECK(made == 1);
    DatagramPair pair(resumed_settings(false, 0x002F), resumed_settings(true, 0x002F));
    pair.run();
    for (std::size_t i = 0; i < datagram_queue_limit + 5; ++i)
        REQUIRE(pair.client.channel.write(as_bytes("x")));
    CHECK(pair.client.channel.facts().datagrams_dropped == 5);
}

}  // namespace
}  // namespace causeway::tls
