// Our DTLS ends against others' implementations: OpenSSL's own records in memory, and the programs
// of OpenSSL and GnuTLS over a socket on the loopback.

#include "causeway/tls/datagram.h"
#include "causeway/tls/datagram_keys.h"
#include "tests/support/datagram_ends.h"
#include "tests/support/program.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>

namespace causeway::tls {
namespace {

using namespace causeway::test;
using namespace std::chrono_literals;

const char* openssl_suite(std::uint16_t suite) {
    if (suite == 0x00A8) return "PSK-AES128-GCM-SHA256";
    return suite == 0x00A9 ? "PSK-AES256-GCM-SHA384" : "PSK-CHACHA20-POLY1305";
}

std::string gnutls_priority(std::uint16_t suite) {
    const std::string cipher = suite == 0x00A8   ? "AES-128-GCM"
                               : suite == 0x00A9 ? "AES-256-GCM"
                                                 : "CHACHA20-POLY1305";
    return "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:-CIPHER-ALL:+" + cipher + ":-MAC-ALL:+AEAD";
}

/// One record of application data, sealed by EVP as RFC 5288 and RFC 7905 say.
Bytes seal(const TrafficKeys& keys, std::uint64_t offset, std::string_view plaintext) {
    const bool is_gcm = keys.write_iv.reveal().size() == 4;
    Bytes number;
    const auto sequence = keys.first_write_sequence + offset;
    put_big_endian_16(number, keys.epoch);
    put_big_endian_16(number, static_cast<std::uint16_t>(sequence >> 32));
    put_big_endian_32(number, static_cast<std::uint32_t>(sequence));
    Bytes nonce = copy(as_bytes(keys.write_iv.reveal()));
    Bytes carried;
    if (is_gcm) {
        const auto explicit_nonce = keys.first_explicit_nonce.value() + offset;
        put_big_endian_32(carried, static_cast<std::uint32_t>(explicit_nonce >> 32));
        put_big_endian_32(carried, static_cast<std::uint32_t>(explicit_nonce));
        append(nonce, carried);
    } else {
        for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= number[i];
    }
    Bytes data = number;
    append(data, from_hex("17fefd").value());
    put_big_endian_16(data, static_cast<std::uint16_t>(plaintext.size()));

    Bytes sealed(plaintext.size() + 16);
    auto* out = reinterpret_cast<unsigned char*>(sealed.data());
    const auto* cipher = !is_gcm                                ? EVP_chacha20_poly1305()
                         : keys.write_key.reveal().size() == 16 ? EVP_aes_128_gcm()
                                                                : EVP_aes_256_gcm();
    auto* context = EVP_CIPHER_CTX_new();
    int count = 0;
    EVP_EncryptInit_ex(context, cipher, nullptr, raw(as_bytes(keys.write_key.reveal())),
                       raw(nonce));
    EVP_EncryptUpdate(context, nullptr, &count, raw(data), static_cast<int>(data.size()));
    EVP_EncryptUpdate(context, out, &count, raw(as_bytes(plaintext)),
                      static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(context, out + plaintext.size(), &count);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + plaintext.size());
    EVP_CIPHER_CTX_free(context);

    Bytes record = from_hex("17fefd").value();
    append(record, number);
    put_big_endian_16(record, static_cast<std::uint16_t>(carried.size() + sealed.size()));
    append(record, carried);
    append(record, sealed);
    return record;
}

std::string open(const TrafficKeys& keys, ByteView datagram) {
    const auto record = take_record(datagram);
    if (!record) return "no record";
    const auto plain = open_record(*record, keys);
    return plain ? std::string(as_text(*plain)) : "not opened";
}

unsigned plain_client_key(SSL*, const char*, char* name, unsigned, unsigned char* key, unsigned) {
    std::ranges::copy(std::string_view("psk\0", 4), name);
    return static_cast<unsigned>(std::ranges::copy(shared_key().reveal(), key).out - key);
}
unsigned plain_server_key(SSL*, const char*, unsigned char* key, unsigned) {
    return static_cast<unsigned>(std::ranges::copy(shared_key().reveal(), key).out - key);
}

/// OpenSSL's DTLS, as it comes.
class PlainEnd {
public:
    PlainEnd(bool is_server, std::uint16_t suite)
        : context_(SSL_CTX_new(is_server ? DTLS_server_method() : DTLS_client_method())) {
        SSL_CTX_set_cipher_list(context_.get(), openssl_suite(suite));
        SSL_CTX_set_psk_client_callback(context_.get(), plain_client_key);
        SSL_CTX_set_psk_server_callback(context_.get(), plain_server_key);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_options(ssl_.get(), SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(ssl_.get(), 1200);
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
        is_server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
    }
    SSL* ssl() { return ssl_.get(); }
    void feed(ByteView datagram) {
        BIO_write(SSL_get_rbio(ssl()), datagram.data(), static_cast<int>(datagram.size()));
    }
    /// The memory joins datagrams; records need no borders between them.
    Bytes output() {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(ssl()), &bytes);
        Bytes taken = copy(as_bytes({bytes, static_cast<std::size_t>(size)}));
        static_cast<void>(BIO_reset(SSL_get_wbio(ssl())));
        return taken;
    }
    void shake_hands(DatagramEnd& ours) {
        for (int turn = 0; turn < 10; ++turn) {
            for (; !ours.channel.pending().empty(); ours.channel.sent()) {
                feed(ours.channel.pending());
                SSL_do_handshake(ssl());
            }
            SSL_do_handshake(ssl());
            if (const auto bytes = output(); !bytes.empty()) ours.feed(bytes, test_start);
        }
        ERR_clear_error();
    }
    std::string read() {
        std::array<char, 2048> room{};
        const int size = SSL_read(ssl(), room.data(), room.size());
        ERR_clear_error();
        return size > 0 ? std::string(room.data(), static_cast<std::size_t>(size)) : "nothing";
    }

private:
    ContextPtr context_;
    SslPtr ssl_;
};

TEST_CASE("the keys open what OpenSSL seals, and OpenSSL opens what they seal") {
    for (const bool is_server : {false, true})
        for (const auto suite : psk_suites) {
            CAPTURE(is_server);
            CAPTURE(suite);
            DatagramEnd ours(psk_settings(is_server));
            PlainEnd plain(!is_server, suite);
            plain.shake_hands(ours);
            REQUIRE(ours.story == "ready");
            const auto keys = ours.channel.take_traffic_keys();
            REQUIRE(keys);
            for (const std::string text : {"a", "a longer text from OpenSSL"}) {
                SSL_write(plain.ssl(), text.data(), static_cast<int>(text.size()));
                CHECK(open(*keys, plain.output()) == text);
            }
            plain.feed(seal(*keys, 0, "from our side"));
            CHECK(plain.read() == "from our side");
            plain.feed(seal(*keys, 1, "and once more"));
            CHECK(plain.read() == "and once more");

            // Its close is an alert in epoch 1; a changed one is nothing.
            SSL_shutdown(plain.ssl());
            auto alert = plain.output();
            auto changed = alert;
            changed.back() ^= std::byte{1};
            ours.feed(changed, test_start);
            CHECK(ours.story == "ready");
            ours.feed(alert, test_start);
            CHECK(ours.story == "ready closed");
            CHECK_FALSE(ours.failure);
        }
}

TEST_CASE("what is not for the channel any more is counted and ignored") {
    DatagramEnd ours(psk_settings(true));
    PlainEnd plain(false, 0x00A8);
    plain.shake_hands(ours);
    const auto before = ours.channel.facts().datagrams_ignored;
    SSL_write(plain.ssl(), "data", 4);
    ours.feed(plain.output(), test_start);
    // An alert that nobody sealed.
    ours.feed(from_hex("15fefd000000000000000900020228").value(), test_start);
    ours.feed(from_hex("15fefd").value(), test_start);
    CHECK(ours.channel.facts().datagrams_ignored == before + 3);
    CHECK(ours.story == "ready");
    CHECK_FALSE(ours.failure);
}

std::string key_text() { return hex(as_bytes(shared_key().reveal())); }

/// Carries datagrams between one of our ends and a socket.
class SocketEnd {
public:
    SocketEnd(DatagramSettings settings, UdpSocket socket)
        : socket_(std::move(socket)), end_(at_now(std::move(settings))) {}

    void run_until(const std::function<bool()>& is_done) {
        const auto limit = Clock::now() + 10s;
        while (!is_done() && !end_.failure && Clock::now() < limit) {
            for (; !end_.channel.pending().empty(); end_.channel.sent())
                socket_.send(end_.channel.pending());
            if (const auto datagram = socket_.receive(50ms)) {
                if (keys && (*datagram)[0] == std::byte{23}) {
                    text += open(*keys, *datagram);
                    end_.channel.confirm();
                } else {
                    end_.feed(*datagram, Clock::now());
                }
            }
            end_.channel.advance(Clock::now());
            end_.take();
            if (end_.is_ready() && !keys) keys = end_.channel.take_traffic_keys().value();
        }
    }
    void run_until_ready() {
        run_until([&] { return keys.has_value(); });
    }
    void run_until_text(std::string_view wanted) {
        run_until([&] { return text.find(wanted) != std::string::npos; });
    }
    void send(std::string_view words) { socket_.send(seal(*keys, count_++, words)); }
    DatagramEnd& end() { return end_; }

    std::optional<TrafficKeys> keys;
    std::string text;  ///< All that came.

private:
    static DatagramSettings at_now(DatagramSettings settings) {
        settings.now = Clock::now();
        return settings;
    }
    UdpSocket socket_;
    DatagramEnd end_;
    std::uint64_t count_ = 0;
};

TEST_CASE("our client and OpenSSL's server talk over UDP") {
    for (const auto suite : psk_suites) {
        CAPTURE(suite);
        const auto port = free_udp_port();
        Program server({"openssl", "s_server", "-dtls1_2", "-nocert", "-accept",
                        "127.0.0.1:" + std::to_string(port), "-psk", key_text(), "-cipher",
                        openssl_suite(suite)});
        REQUIRE(server.read_until("ACCEPT"));
        SocketEnd client(psk_settings(false), UdpSocket::connected(port));
        client.run_until_ready();
        REQUIRE(client.keys);
        CHECK(client.end().channel.summary().suite == suite);
        client.send("words for openssl\n");
        CHECK(server.read_until("words for openssl"));
        server.write("words from openssl\n");
        client.run_until_text("words from openssl");
        CHECK(client.text == "words from openssl\n");
    }
}

TEST_CASE("our server and OpenSSL's client talk over UDP") {
    for (const auto suite : psk_suites) {
        CAPTURE(suite);
        auto socket = UdpSocket::bound();
        const auto address = "127.0.0.1:" + std::to_string(socket.port());
        Program client({"openssl", "s_client", "-dtls1_2", "-connect", address, "-psk", key_text(),
                        "-psk_identity", "psk", "-cipher", openssl_suite(suite)});
        SocketEnd server(psk_settings(true), std::move(socket));
        server.run_until_ready();
        REQUIRE(server.keys);
        client.write("words from openssl\n");
        server.run_until_text("words from openssl");
        CHECK(server.text == "words from openssl\n");
        server.send("words for openssl\n");
        CHECK(client.read_until("words for openssl"));
    }
}

TEST_CASE("our client and GnuTLS's server talk over UDP, with its cookie in front") {
    for (const auto suite : psk_suites) {
        CAPTURE(suite);
        const auto port = free_udp_port();
        const TextFile passwords("psk:" + key_text() + "\n");
        Program server({"gnutls-serv", "--udp", "--port", std::to_string(port), "--echo",
                        "--pskpasswd", passwords.path(), "--priority", gnutls_priority(suite)});
        REQUIRE(server.read_until("listening on IPv4"));
        SocketEnd client(psk_settings(false), UdpSocket::connected(port));
        client.run_until_ready();
        REQUIRE(client.keys);
        CHECK(client.end().channel.summary().suite == suite);
        client.send("there and back\n");
        client.run_until_text("there and back");
        CHECK(client.text == "there and back\n");
    }
}

TEST_CASE("our server and GnuTLS's client talk over UDP") {
    for (const auto suite : psk_suites) {
        CAPTURE(suite);
        auto socket = UdpSocket::bound();
        const auto port = std::to_string(socket.port());
        Program client({"gnutls-cli", "--udp", "--port", port, "--pskusername", "psk", "--pskkey",
                        key_text(), "--priority", gnutls_priority(suite), "127.0.0.1"});
        SocketEnd server(psk_settings(true), std::move(socket));
        server.run_until_ready();
        REQUIRE(server.keys);
        client.write("words from gnutls\n");
        server.run_until_text("words from gnutls");
        CHECK(server.text == "words from gnutls\n");
        server.send("words for gnutls\n");
        CHECK(client.read_until("words for gnutls"));
    }
}

TEST_CASE("a stranger's refusal over UDP has its code") {
    const auto port = free_udp_port();
    Program server({"openssl", "s_server", "-dtls1_2", "-nocert", "-accept",
                    "127.0.0.1:" + std::to_string(port), "-psk", key_text(), "-cipher",
                    "PSK-AES128-CBC-SHA"});
    REQUIRE(server.read_until("ACCEPT"));
    SocketEnd client(psk_settings(false), UdpSocket::connected(port));
    client.run_until([] { return false; });
    REQUIRE(client.end().failure);
    CHECK(client.end().failure->code == Code(Tls::errSSLPeerHandshakeFail));
    CHECK(client.end().failure->fact("alert") == "40");
}

}  // namespace
}  // namespace causeway::tls
