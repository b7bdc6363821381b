// Both ends of a TLS connection under a relay that the input commands: it passes bytes on, flips,
// drops, repeats and invents them, cuts the connection, lets time pass. So the ends see arbitrary
// bytes and real flights that were changed.
//
// What must hold: a stream that has failed stays failed with the same code; the time it asks for
// ends; what it holds back of a record never exceeds one.

#include "causeway/tls/limits.h"
#include "causeway/tls/stream.h"
#include "tests/support/pki.h"
#include "tests/support/tls_ends.h"
#include "tests/support/tls_world.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace causeway;

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
    bool is_empty() const { return at_ == end_; }
    std::uint8_t take() { return is_empty() ? std::uint8_t{0} : *at_++; }
    ByteView take(std::size_t count) {
        const auto size = std::min(count, static_cast<std::size_t>(end_ - at_));
        const ByteView taken(reinterpret_cast<const std::byte*>(at_), size);
        at_ += size;
        return taken;
    }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

/// One end, and the bytes on their way to it.
struct End {
    tls::Stream stream;
    test::Seen seen = {};
    Bytes coming = {};
    int writes_left = 4;

    void run() {
        const auto before = seen.failure;
        test::take(stream, seen);
        if (before && !(seen.failure && seen.failure->code == before->code)) std::abort();
        if (!stream.facts().handshake_completed || seen.failure || writes_left == 0) return;
        --writes_left;
        // Refused after a close; that is as good.
        static_cast<void>(stream.write(as_bytes("hello")));
    }
    void send_to(End& other) {
        append(other.coming, stream.pending());
        stream.sent(stream.pending().size());
    }
    void receive(std::size_t count, Instant now) {
        count = std::min(count, coming.size());
        stream.feed(ByteView(coming).first(count), now);
        coming.erase(coming.begin(), coming.begin() + static_cast<std::ptrdiff_t>(count));
        run();
    }
};

std::shared_ptr<const tls::Context> client_context(bool is_1_3) {
    static const auto make = [](tls::Version highest) {
        auto settings = test::client_settings(highest);
        settings.identity = test::identity_of(test::world().client);
        return tls::Context::client(std::move(settings)).value();
    };
    static const auto older = make(tls::Version::tls_1_2);
    static const auto newer = make(tls::Version::tls_1_3);
    return is_1_3 ? newer : older;
}

std::shared_ptr<const tls::Context> server_context(bool in_words) {
    static const auto make = [](tls::Refusal refusal) {
        auto settings = test::server_settings();
        settings.client_certificate = tls::ClientCertificate::required;
        settings.refusal = refusal;
        settings.trust.authorities = test::world().root.pem();
        settings.renegotiation_interval = std::chrono::seconds(0);
        return tls::Context::server(std::move(settings)).value();
    };
    static const auto words = make(tls::Refusal::words);
    static const auto alert = make(tls::Refusal::alert);
    return in_words ? words : alert;
}

void command(Input& input, End& end, Instant& now) {
    const auto what = input.take();
    const std::size_t amount = input.take();
    switch (what % 10) {
        case 0: end.receive(amount, now); break;
        case 1: end.receive(end.coming.size(), now); break;
        case 2:
            if (!end.coming.empty())
                end.coming[amount % end.coming.size()] ^= static_cast<std::byte>(input.take());
            break;
        case 3:
            end.coming.erase(end.coming.begin(),
                             end.coming.begin() +
                                 static_cast<std::ptrdiff_t>(std::min(amount, end.coming.size())));
            break;
        case 4: append(end.coming, Bytes(end.coming)); break;
        case 5: {
            const auto invented = input.take(amount);
            end.coming.insert(end.coming.begin(), invented.begin(), invented.end());
            break;
        }
        case 6: end.stream.feed_end(now); break;
        case 7: end.stream.feed_reset(ECONNRESET, now); break;
        case 8:
            now += std::chrono::milliseconds(100 * amount);
            end.stream.advance(now);
            break;
        default:
            if (end.stream.rekey()) break;
            end.stream.close();
    }
    if (end.coming.size() > 256 * 1024) end.coming.clear();
    end.run();
    if (const auto due = end.stream.deadline(); due && *due <= now) end.stream.advance(now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const auto mode = input.take();
    End client{.stream = test::stream_of(client_context(mode & 1))};
    End server{.stream = test::stream_of(server_context(mode & 2))};
    Instant now = test::test_start;
    client.run();
    while (!input.is_empty()) {
        client.send_to(server);
        server.send_to(client);
        const bool is_for_client = input.take() & 1;
        command(input, is_for_client ? client : server, now);
    }
    return 0;
}
