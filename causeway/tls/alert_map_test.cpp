// All alerts there can be, as they come over the wire: 256 numbers at both levels in TLS 1.2, and
// 256 in TLS 1.3, sealed with the keys of the handshake; to our client and to our server; against
// one table.

#include "causeway/tls/alert.h"
#include "tests/support/tls_world.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

namespace causeway::tls {
namespace {

using namespace causeway::test;

/// The table: what each number is when it is fatal.
std::int32_t fatal_code(int number) {
    static const std::map<int, std::int32_t> codes = {
        {10, -9819},  {20, -9820},  {21, -9821},  {22, -9822},  {30, -9823},  {40, -9824},
        {42, -9825},  {43, -9826},  {44, -9827},  {45, -9828},  {46, -9829},  {47, -9830},
        {48, -9831},  {49, -9832},  {50, -9833},  {51, -9834},  {60, -9835},  {70, -9836},
        {71, -9837},  {80, -9838},  {86, -9860},  {90, -9839},  {100, -9840}, {109, -9861},
        {110, -9855}, {112, -9865}, {113, -9862}, {115, -9864}, {116, -9863},
    };
    const auto found = codes.find(number);
    return found == codes.end() ? -9802 : found->second;
}

enum class Level { warning = 1, fatal = 2, none = 0 };

/// What it must end in; 0 for a warning that ends nothing.
std::int32_t expected(int number, Level level) {
    const bool is_close = number == 0 && level != Level::fatal;
    if (is_close) return -9805;
    if (level == Level::warning) return number == 90 || number == 100 ? fatal_code(number) : 0;
    return fatal_code(number);
}

void check(const Seen& seen, const Stream& stream, int number, Level level) {
    CAPTURE(number);
    CAPTURE(static_cast<int>(level));
    const auto code = expected(number, level);
    if (code == 0) {
        CHECK_FALSE(seen.failure.has_value());
        CHECK(seen.has("warning:" + std::to_string(number)));
        CHECK(stream.facts().warnings_ignored == 1);
        return;
    }
    REQUIRE(seen.failure.has_value());
    CHECK(seen.failure->code.domain() == Domain::tls);
    CHECK(seen.failure->code.number() == code);
    if (code == -9805) return;
    CHECK(seen.failure->fact("alert") == std::to_string(number));
    CHECK(seen.failure->fact("alert_from") == "peer");
    REQUIRE(seen.failure->cause);
    CHECK(seen.failure->cause->code == Code::raw(Domain::alert, number));
}

Bytes plain_alert(Level level, int number) {
    return {std::byte{21},
            std::byte{3},
            std::byte{3},
            std::byte{0},
            std::byte{2},
            static_cast<std::byte>(level),
            static_cast<std::byte>(number)};
}

void feed(Stream& stream, Seen& seen, ByteView bytes) {
    stream.feed(bytes, test_start);
    take(stream, seen);
}

Bytes output(Stream& stream) {
    const auto pending = stream.pending();
    Bytes bytes(pending.begin(), pending.end());
    stream.sent(bytes.size());
    return bytes;
}

const auto both = {Level::warning, Level::fatal};

TEST_CASE("TLS 1.2: every alert before the server's hello means what the table says") {
    const auto ours = Context::client(client_settings(Version::tls_1_2)).value();
    for (const auto level : both)
        for (int number = 0; number < 256; ++number) {
            auto client = stream_of(ours);
            Seen seen;
            take(client, seen);
            feed(client, seen, plain_alert(level, number));
            check(seen, client, number, level);
        }
}

TEST_CASE("TLS 1.2: every alert behind the server's hello means what the table says") {
    const auto ours = Context::client(client_settings()).value();
    const auto context = raw_server_context(world().server);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    for (const auto level : both)
        for (int number = 0; number < 256; ++number) {
            RawPeer server(context.get(), true);
            auto client = stream_of(ours);
            Seen seen;
            take(client, seen);
            server.feed(output(client));
            server.run();
            feed(client, seen, records_of(server.output()).front());
            feed(client, seen, plain_alert(level, number));
            check(seen, client, number, level);
        }
}

TEST_CASE("TLS 1.2: every alert to our server means what the table says") {
    const auto context = raw_client_context();
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    const auto ours = Context::server(server_settings()).value();
    for (const auto level : both)
        for (int number = 0; number < 256; ++number) {
            RawPeer client(context.get(), false);
            auto server = stream_of(ours);
            Seen seen;
            client.run();
            feed(server, seen, client.output());
            feed(server, seen, plain_alert(level, number));
            check(seen, server, number, level);
        }
}

void remember_secret(const SSL* ssl, const char* line) {
    auto& lines = *static_cast<std::map<std::string, Bytes>*>(SSL_get_app_data(ssl));
    const std::string text(line);
    lines[text.substr(0, text.find(' '))] = *from_hex(text.substr(text.rfind(' ') + 1));
}

/// HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context and SHA-256.
Bytes expand(const Bytes& secret, std::string_view label, std::size_t size) {
    Bytes info;
    put_big_endian_16(info, static_cast<std::uint16_t>(size));
    const std::string full = "tls13 " + std::string(label);
    info.push_back(static_cast<std::byte>(full.size()));
    append(info, as_bytes(full));
    info.push_back(std::byte{0});
    Bytes out(size);
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int("mode", &mode),
        OSSL_PARAM_construct_utf8_string("digest", digest, 0),
        OSSL_PARAM_construct_octet_string("key", const_cast<std::byte*>(secret.data()),
                                          secret.size()),
        OSSL_PARAM_construct_octet_string("info", info.data(), info.size()),
        OSSL_PARAM_construct_end()};
    REQUIRE(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                           parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return out;
}

/// An alert as the first record under `secret`, as TLS_AES_128_GCM_SHA256 seals it.
Bytes sealed_alert(const Bytes& secret, Level level, int number) {
    const auto key = expand(secret, "key", 16);
    const auto nonce = expand(secret, "iv", 12);  // The sequence number is 0.
    const Bytes inner = {static_cast<std::byte>(level), static_cast<std::byte>(number),
                         std::byte{21}};
    Bytes record = {std::byte{23}, std::byte{3}, std::byte{3}, std::byte{0},
                    static_cast<std::byte>(inner.size() + 16)};
    Bytes sealed(inner.size() + 16);
    auto* out = reinterpret_cast<unsigned char*>(sealed.data());
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    int size = 0;
    EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, raw(key), raw(nonce));
    EVP_EncryptUpdate(cipher, nullptr, &size, raw(record), static_cast<int>(record.size()));
    EVP_EncryptUpdate(cipher, out, &size, raw(inner), static_cast<int>(inner.size()));
    EVP_EncryptFinal_ex(cipher, out + size, &size);
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + inner.size());
    EVP_CIPHER_CTX_free(cipher);
    append(record, sealed);
    return record;
}

/// In TLS 1.3 the level must make no difference; all kinds of it are sent in turn.
int level_for(int number) { return number % 3 == 0 ? 1 : number % 3 == 1 ? 2 : 77; }

TEST_CASE("TLS 1.3: every alert to our client means what the table says") {
    const auto ours = Context::client(client_settings()).value();
    const auto context = raw_server_context(world().server);
    SSL_CTX_set_keylog_callback(context.get(), remember_secret);
    for (int number = 0; number < 256; ++number) {
        std::map<std::string, Bytes> secrets;
        RawPeer server(context.get(), true);
        SSL_set_app_data(server.ssl(), &secrets);
        auto client = stream_of(ours);
        Seen seen;
        take(client, seen);
        server.feed(output(client));
        server.run();
        feed(client, seen, records_of(server.output()).front());
        feed(client, seen,
             sealed_alert(secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"],
                          static_cast<Level>(level_for(number)), number));
        check(seen, client, number, Level::none);
    }
}

TEST_CASE("TLS 1.3: every alert to our server means what the table says") {
    const auto context = raw_client_context();
    SSL_CTX_set_keylog_callback(context.get(), remember_secret);
    const auto ours = Context::server(server_settings()).value();
    for (int number = 0; number < 256; ++number) {
        std::map<std::string, Bytes> secrets;
        RawPeer client(context.get(), false);
        SSL_set_app_data(client.ssl(), &secrets);
        auto server = stream_of(ours);
        Seen seen;
        client.run();
        feed(server, seen, client.output());
        client.feed(output(server));
        client.run();
        feed(server, seen,
             sealed_alert(secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"],
                          static_cast<Level>(level_for(number)), number));
        check(seen, server, number, Level::none);
    }
}

}  // namespace
}  // namespace causeway::tls
