// Both ends of a DTLS channel in memory, with a network between them that tests can make worse.

#pragma once

#include "causeway/tls/datagram.h"
#include "tests/support/tls_ends.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace causeway::test {

/// Thirty-two bytes that both ends know.
Secret shared_key();
/// Forty-eight bytes that both ends know.
Secret shared_master_secret();
/// The name of the session, thirty-two bytes.
Bytes session_name();

tls::DatagramSettings psk_settings(bool is_server, std::vector<std::uint16_t> suites = {});
tls::DatagramSettings resumed_settings(bool is_server, std::uint16_t suite);

/// One end with what it has seen so far.
struct DatagramEnd {
    tls::Datagram channel;
    std::deque<Bytes> coming = {};  ///< On their way to it.
    std::string story = {};         ///< "ready data:5 closed".
    std::string data = {};
    std::optional<Error> failure = {};

    explicit DatagramEnd(tls::DatagramSettings settings) : channel(std::move(settings)) { take(); }
    bool is_ready() const { return story.starts_with("ready"); }
    /// Takes all events there are.
    void take();
    void feed(ByteView datagram, Instant now);
};

/// What the network does to the datagram that is number `index` in its direction (from 0): returns
/// those that arrive in its place.
using Network = std::function<std::vector<Bytes>(std::size_t index, Bytes datagram)>;

struct DatagramPair {
    DatagramEnd client;
    DatagramEnd server;
    Network to_server = {};
    Network to_client = {};
    Instant now = test_start;
    std::size_t sent_to_server = 0;
    std::size_t sent_to_client = 0;

    DatagramPair(tls::DatagramSettings client_side, tls::DatagramSettings server_side)
        : client(std::move(client_side)), server(std::move(server_side)) {}
    /// Carries datagrams until neither end has anything more to say.
    void run();
    /// Runs, and lets time pass to the next deadline, until both are ready or one has failed, or
    /// neither waits for anything.
    void run_through();
};

/// Every (epoch, sequence, explicit nonce) of the protected records in a datagram.
struct SealedNumber {
    std::uint64_t sequence;
    std::uint64_t explicit_nonce;
};
std::vector<SealedNumber> sealed_numbers(ByteView datagram);

}  // namespace causeway::test
