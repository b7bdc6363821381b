// Datagrams from strangers: no bytes make the opener read or write where it may not, nothing passes
// that was not sealed, and both backends say the same of everything.

#include "causeway/datapath/record_opener.h"
#include "causeway/datapath/record_sealer.h"

#include "tests/fuzz/input.h"

namespace {

using namespace causeway;
using namespace causeway::datapath;

constexpr std::array<std::byte, 32> key_bytes{std::byte{7}};

RecordKey key(RecordSuite suite) {
    const ByteView bytes = key_bytes;
    return {suite, bytes.first(key_size(suite)), bytes.first(iv_size(suite)), 1};
}

/// The input as a datagram: it was sealed by nobody.
void open_stranger(RecordSuite suite, ByteView datagram) {
    auto first = *RecordOpener::make(CryptoBackend::automatic, key(suite));
    auto second = *RecordOpener::make(CryptoBackend::evp, key(suite));
    // Exactly as much room as promised: one byte more is found by the sanitizer.
    const Bytes record = copy(datagram);
    Bytes room(record.size() < first.overhead() ? 0 : record.size() - first.overhead());
    const auto one = first.open(record, room);
    const auto other = second.open(record, room);
    fuzz::require(!one && !other && one.error() == other.error());
}

/// The input as changes to a record that would pass: a position and a value each.
void open_changed(RecordSuite suite, ByteView changes) {
    auto sealer = *RecordSealer::make(CryptoBackend::automatic, key(suite), 1);
    auto opener = *RecordOpener::make(CryptoBackend::automatic, key(suite));
    const Bytes plaintext = copy(changes);
    Bytes record(plaintext.size() + sealer.overhead());
    fuzz::require(sealer.seal(plaintext, record) == record.size());
    Bytes changed = record;
    for (std::size_t i = 0; i + 1 < changes.size(); i += 2)
        changed[std::to_integer<std::size_t>(changes[i]) % changed.size()] ^= changes[i + 1];
    Bytes room(plaintext.size());
    const auto opened = opener.open(changed, room);
    fuzz::require(opened.has_value() == (changed == record));
    if (opened) fuzz::require(copy(*opened) == plaintext);
    // What was dropped was not marked.
    fuzz::require(opener.open(record, room).has_value() == !opened.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > record_plaintext_limit) return 0;
    const ByteView input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    record_type(input);
    record_epoch(input);
    const auto suite = static_cast<RecordSuite>(data[0] % 3);
    open_stranger(suite, input);
    open_changed(suite, input);
    return 0;
}
