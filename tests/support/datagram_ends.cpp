#include "tests/support/datagram_ends.h"

#include "causeway/tls/datagram_record.h"

#include <algorithm>

namespace causeway::test {
namespace {

std::string counted(std::size_t size, int first) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
        text.push_back(static_cast<char>(first + static_cast<int>(i)));
    return text;
}

void carry(DatagramEnd& from, DatagramEnd& to, const Network& network, std::size_t& count) {
    for (; !from.channel.pending().empty(); from.channel.sent()) {
        Bytes datagram = copy(from.channel.pending());
        const auto index = count++;
        if (!network) {
            to.coming.push_back(std::move(datagram));
            continue;
        }
        for (auto& arriving : network(index, std::move(datagram)))
            to.coming.push_back(std::move(arriving));
    }
}

void deliver(DatagramEnd& end, Instant now) {
    while (!end.coming.empty()) {
        const Bytes datagram = std::move(end.coming.front());
        end.coming.pop_front();
        end.feed(datagram, now);
    }
}

}  // namespace

Secret shared_key() { return Secret(counted(32, 1)); }
Secret shared_master_secret() { return Secret(counted(48, 33)); }
Bytes session_name() { return copy(as_bytes(counted(32, 65))); }

tls::DatagramSettings psk_settings(bool is_server, std::vector<std::uint16_t> suites) {
    return {.is_server = is_server,
            .key = tls::PskKey{shared_key(), is_server ? Bytes() : session_name()},
            .suites = std::move(suites),
            .now = test_start};
}

tls::DatagramSettings resumed_settings(bool is_server, std::uint16_t suite) {
    return {.is_server = is_server,
            .key = tls::ResumedKey{shared_master_secret(), session_name(), suite},
            .now = test_start};
}

void DatagramEnd::take() {
    while (true) {
        auto event = channel.next();
        if (!event) {
            failure = event.error();
            return;
        }
        if (!*event) return;
        if (!story.empty()) story += ' ';
        if (std::holds_alternative<tls::DatagramReady>(**event)) story += "ready";
        if (std::holds_alternative<tls::DatagramClosed>(**event)) story += "closed";
        if (const auto* piece = std::get_if<tls::DatagramData>(&**event)) {
            story += "data:" + std::to_string(piece->bytes.size());
            data += as_text(piece->bytes);
        }
    }
}

void DatagramEnd::feed(ByteView datagram, Instant now) {
    channel.feed(datagram, now);
    take();
}

void DatagramPair::run() {
    do {
        carry(client, server, to_server, sent_to_server);
        carry(server, client, to_client, sent_to_client);
        deliver(client, now);
        deliver(server, now);
    } while (!client.channel.pending().empty() || !server.channel.pending().empty());
}

void DatagramPair::run_through() {
    while (true) {
        run();
        if (client.failure || server.failure || (client.is_ready() && server.is_ready())) return;
        auto due = client.channel.deadline();
        if (const auto other = server.channel.deadline(); other && (!due || *other < *due))
            due = other;
        if (!due) return;
        now = std::max(now, *due);
        client.channel.advance(now);
        server.channel.advance(now);
        client.take();
        server.take();
    }
}

std::vector<SealedNumber> sealed_numbers(ByteView datagram) {
    std::vector<SealedNumber> numbers;
    for (auto rest = datagram; const auto record = tls::take_record(rest);)
        if (record->epoch > 0 && record->payload.size() >= 8)
            numbers.push_back(
                {record->sequence, std::uint64_t{big_endian_32(record->payload)} << 32 |
                                       big_endian_32(record->payload.subspan(4))});
    return numbers;
}

}  // namespace causeway::test
