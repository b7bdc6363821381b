// The channel's other half: OpenSSL's DTLS under a clock that is an argument.

#include "causeway/base/random.h"
#include "causeway/tls/datagram_channel.h"
#include "causeway/tls/datagram_keys.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace causeway::tls {
namespace {

// "psk", as the stock clients name themselves; nobody looks at it.
constexpr std::string_view identity = "psk";
constexpr std::size_t master_secret_size = 48;
// In front of the body of a message: type, length, number, fragment offset, fragment length.
constexpr std::size_t message_header_size = 12;

DatagramChannel& channel_of(const SSL* ssl) {
    return *static_cast<DatagramChannel*>(SSL_get_app_data(ssl));
}
DatagramChannel& channel_of(BIO* bio) { return *static_cast<DatagramChannel*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* bytes, std::size_t capacity, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    *count = channel_of(bio).take({reinterpret_cast<std::byte*>(bytes), capacity});
    if (*count > 0) return 1;
    BIO_set_retry_read(bio);
    return 0;
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    channel_of(bio).put(as_bytes({bytes, size}));
    *count = size;
    return 1;
}

long bio_control(BIO* bio, int command, long, void* argument) {
    if (command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT) channel_of(bio).keep_timer(argument);
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* bio_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "causeway datagrams");
        BIO_meth_set_read_ex(made, bio_read);
        BIO_meth_set_write_ex(made, bio_write);
        BIO_meth_set_ctrl(made, bio_control);
        return made;
    }();
    return method;
}

void on_message(int is_written, int, int type, const void* bytes, std::size_t size, SSL* ssl,
                void*) {
    channel_of(ssl).saw(is_written == 1, type,
                        view(static_cast<const unsigned char*>(bytes), size));
}

unsigned on_client_key(SSL* ssl, const char*, char* name, unsigned name_size, unsigned char* key,
                       unsigned key_size) {
    if (name_size <= identity.size()) return 0;
    *std::ranges::copy(identity, name).out = '\0';
    return static_cast<unsigned>(channel_of(ssl).shared_key({key, key_size}));
}

unsigned on_server_key(SSL* ssl, const char*, unsigned char* key, unsigned key_size) {
    return static_cast<unsigned>(channel_of(ssl).shared_key({key, key_size}));
}

SSL_SESSION* on_session_asked(SSL* ssl, const unsigned char* id, int size, int* is_shared) {
    *is_shared = 0;
    return channel_of(ssl).agreed_session(ssl, view(id, static_cast<std::size_t>(size)));
}

/// No certificate is ever good: who shows one wants a full handshake.
int on_verify(X509_STORE_CTX*, void*) { return 0; }

unsigned on_timer(SSL* ssl, unsigned) { return channel_of(ssl).timer_microseconds(); }

/// Immutable from then on, and so shared by all channels and threads.
SSL_CTX* make_context(bool is_server) {
    start_openssl();
    SSL_CTX* context = SSL_CTX_new(is_server ? DTLS_server_method() : DTLS_client_method());
    if (!context) return nullptr;
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
    // Nobody renegotiates here, so a server that cannot do it securely does no harm.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU |
                                     SSL_OP_NO_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_get_cb(context, on_session_asked);
    SSL_CTX_set_psk_client_callback(context, on_client_key);
    SSL_CTX_set_psk_server_callback(context, on_server_key);
    SSL_CTX_set_cert_verify_callback(context, on_verify, nullptr);
    SSL_CTX_set_verify(context, is_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_msg_callback(context, on_message);
    return context;
}

SSL_CTX* context_of(bool is_server) {
    static SSL_CTX* const client = make_context(false);
    static SSL_CTX* const server = make_context(true);
    return is_server ? server : client;
}

const char* openssl_name(std::uint16_t suite) {
    switch (suite) {
        case 0x00A8: return "PSK-AES128-GCM-SHA256";
        case 0x00A9: return "PSK-AES256-GCM-SHA384";
        case 0xCCAB: return "PSK-CHACHA20-POLY1305";
        case 0x009C: return "AES128-GCM-SHA256";
        case 0x009D: return "AES256-GCM-SHA384";
        case 0x002F: return "AES128-SHA";
        case 0x0035: return "AES256-SHA";
        default: return "";
    }
}

std::string openssl_names(std::span<const std::uint16_t> suites) {
    std::string names;
    for (const auto suite : suites)
        names += (names.empty() ? "" : ":") + std::string(openssl_name(suite));
    return names;
}

/// A session as if it had been agreed in an earlier handshake.
SSL_SESSION* make_session(SSL* ssl, ByteView id, std::string_view master_secret,
                          std::uint16_t suite) {
    const unsigned char number[] = {static_cast<unsigned char>(suite >> 8),
                                    static_cast<unsigned char>(suite)};
    const auto* cipher = SSL_CIPHER_find(ssl, number);
    SSL_SESSION* session = cipher ? SSL_SESSION_new() : nullptr;
    if (!session) return nullptr;
    if (SSL_SESSION_set_protocol_version(session, DTLS1_2_VERSION) == 1 &&
        SSL_SESSION_set_cipher(session, cipher) == 1 &&
        SSL_SESSION_set1_id(session, raw(id), static_cast<unsigned>(id.size())) == 1 &&
        SSL_SESSION_set1_master_key(session, raw(as_bytes(master_secret)), master_secret.size()) ==
            1)
        return session;
    SSL_SESSION_free(session);
    return nullptr;
}

/// Up to OpenSSL 3.1 a BIO is shown the timer itself; later versions show a copy.
bool shows_timer() { return OpenSSL_version_num() < 0x30200000UL; }

}  // namespace

bool DatagramChannel::set_up() {
    auto* context = context_of(settings_.is_server);
    ssl_.reset(context ? SSL_new(context) : nullptr);
    BIO* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
    if (!bio) return false;
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    DTLS_set_timer_cb(ssl_.get(), on_timer);
    SSL_set_mtu(ssl_.get(),
                static_cast<long>(std::min(settings_.datagram_limit, datagram_largest)));
    std::string suites;
    if (const auto* resumed = std::get_if<ResumedKey>(&settings_.key)) {
        // Both would be refused in a session that was never really agreed.
        SSL_set_options(ssl_.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_NO_ENCRYPT_THEN_MAC);
        suites = openssl_name(resumed->suite);
    } else {
        suites =
            settings_.suites.empty() ? openssl_names(psk_suites) : openssl_names(settings_.suites);
    }
    if (SSL_set_cipher_list(ssl_.get(), suites.c_str()) != 1) return false;
    if (settings_.is_server) {
        SSL_set_accept_state(ssl_.get());
        return true;
    }
    SSL_set_connect_state(ssl_.get());
    return set_hello_session();
}

/// What puts a name of our choice into the hello's session_id: a session to resume. With a shared
/// key it is made up, and so is its master secret: a constant one would let a server that knows it
/// "resume" the session without the key.
bool DatagramChannel::set_hello_session() {
    SSL_SESSION* session = nullptr;
    if (const auto* key = std::get_if<PskKey>(&settings_.key)) {
        const auto secret = random_bytes(master_secret_size);
        const auto suite = settings_.suites.empty() ? psk_suites[0] : settings_.suites[0];
        session = make_session(ssl_.get(), key->app_id, as_text(secret), suite);
    } else {
        session = agreed_session(ssl_.get(), std::get<ResumedKey>(settings_.key).session_id);
    }
    const bool is_set = session && SSL_set_session(ssl_.get(), session) == 1;
    SSL_SESSION_free(session);
    return is_set;
}

SSL_SESSION* DatagramChannel::agreed_session(SSL* ssl, ByteView session_id) const {
    const auto* key = std::get_if<ResumedKey>(&settings_.key);
    if (!key || !std::ranges::equal(session_id, key->session_id)) return nullptr;
    return make_session(ssl, key->session_id, key->master_secret.reveal(), key->suite);
}

std::size_t DatagramChannel::shared_key(std::span<unsigned char> room) const {
    const auto* key = std::get_if<PskKey>(&settings_.key);
    if (!key || key->key.reveal().size() > room.size()) return 0;
    std::ranges::copy(key->key.reveal(), room.begin());
    return key->key.reveal().size();
}

std::size_t DatagramChannel::take(std::span<std::byte> room) {
    const auto count = std::min(room.size(), in_.size());
    std::ranges::copy_n(in_.begin(), static_cast<std::ptrdiff_t>(count), room.begin());
    in_.clear();
    return count;
}

void DatagramChannel::saw(bool is_written, int type, ByteView bytes) {
    if (type != SSL3_RT_HANDSHAKE) {
        watch_.saw(is_written, type, bytes);
    } else if (bytes.size() >= message_header_size) {
        // Type and length are as in TLS; what the watch reads of a hello is not.
        watch_.saw(is_written, type, bytes.first(4));
        const auto body = bytes.subspan(message_header_size);
        if (bytes[0] == std::byte{SSL3_MT_SERVER_HELLO} && body.size() >= 2)
            server_version_ = big_endian_16(body);
    }
    watch_.events.clear();
    facts_.waiting_for = watch_.facts.waiting_for;
}

/// OpenSSL measures the time until a flight is sent again by the wall clock. Where its timer can be
/// moved, `advance` alone decides and OpenSSL must never find it expired by itself; else both
/// clocks measure the same.
unsigned DatagramChannel::timer_microseconds() const {
    const auto time =
        shows_timer() ? std::chrono::hours(1) : std::chrono::microseconds(resend_after_);
    return static_cast<unsigned>(std::chrono::microseconds(time).count());
}

void DatagramChannel::keep_timer(void* timer) {
    if (shows_timer()) timer_ = static_cast<timeval*>(timer);
}

void DatagramChannel::expire_timer() {
    if (!ssl_) return;
    if (timer_) *timer_ = {1, 0};
    ERR_clear_error();
    if (DTLSv1_handle_timeout(ssl_.get()) < 0) fail_by_openssl();
}

void DatagramChannel::run() {
    if (!ssl_) return;
    ERR_clear_error();
    if (is_ready_) return read_data();
    shake_hands();
    if (!failure_ && !is_ready_ && !flight_.empty()) {
        resend_after_ = settings_.resend_after;
        resend_at_ = now_ + resend_after_;
    }
    send_flight();
}

void DatagramChannel::shake_hands() {
    const int done = SSL_do_handshake(ssl_.get());
    if (watch_.alert_ended) return fail_by_openssl();
    if (done == 1) return hand_over();
    if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) fail_by_openssl();
}

/// The handshake is complete. With an AEAD suite OpenSSL goes here, so that it cannot write under
/// a key which somebody else is about to use.
void DatagramChannel::hand_over() {
    const auto* cipher = SSL_get_current_cipher(ssl_.get());
    summary_.suite = SSL_CIPHER_get_protocol_id(cipher);
    summary_.suite_name = SSL_CIPHER_standard_name(cipher);
    summary_.is_aead = is_aead_suite(summary_.suite);
    const bool is_abbreviated = SSL_session_reused(ssl_.get()) == 1;
    if (is_abbreviated != is_resumed())
        return fail_with({Tls::errSSLProtocol, "the kind of handshake is not the one agreed on"});
    summary_.spoke_last = is_abbreviated != settings_.is_server;
    if (summary_.is_aead) {
        auto keys = derive_keys(ssl_.get(), settings_.is_server);
        if (!keys) return fail_with(std::move(keys).error());
        keys->first_write_sequence = last_sequence_.value_or(0) + sequence_gap;
        if (keys->write_iv.reveal().size() == 4)
            keys->first_explicit_nonce = last_explicit_nonce_ + sequence_gap;
        keys_ = std::move(*keys);
        ssl_.reset();
    }
    timer_ = nullptr;
    settings_.key = {};
    is_ready_ = true;
    watch_.facts.handshake_completed = true;
    facts_.waiting_for.clear();
    events_.push_back(DatagramReady{});
}

void DatagramChannel::read_data() {
    const auto capacity = in_.size();
    plain_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
    std::size_t size = 0;
    while (size < capacity) {
        std::size_t count = 0;
        const int done = SSL_read_ex(ssl_.get(), plain_.get() + size, capacity - size, &count);
        if (done == 1) {
            events_.push_back(DatagramData{ByteView(plain_.get() + size, count)});
            size += count;
            continue;
        }
        const int why = SSL_get_error(ssl_.get(), done);
        if (watch_.alert_ended || (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN))
            return fail_by_openssl();
        if (why == SSL_ERROR_ZERO_RETURN) {
            is_closed_ = true;
            events_.push_back(DatagramClosed{});
        } else if (size == 0) {
            ++facts_.datagrams_ignored;
        }
        return;
    }
}

Result<void> DatagramChannel::write(ByteView plaintext) {
    if (failure_) return std::unexpected(*failure_);
    if (!is_ready_ || !ssl_)
        return fail(Trust::errSecBadReq, is_ready_ ? "the suite's records are sealed elsewhere"
                                                   : "the handshake is not complete yet");
    if (plaintext.empty() || plaintext.size() > record_payload_limit)
        return fail(Trust::errSecParam, "a record holds 1 to 16384 bytes");
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &count) == 1) return {};
    fail_by_openssl();
    return std::unexpected(*failure_);
}

}  // namespace causeway::tls
