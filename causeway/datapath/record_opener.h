// DTLS 1.2 application data records to plaintext, under one key.
//
// Stages, in order, on the thread that owns the opener:
//     header    type, version, epoch, length
//     cipher    decrypts out of place and verifies the tag
//     window    was this number here before?

#pragma once

#include "causeway/datapath/counters.h"
#include "causeway/datapath/record_suite.h"
#include "causeway/datapath/replay_window.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <span>

namespace causeway::datapath {

class RecordCipher;

/// One direction of one epoch.
class RecordOpener {
public:
    /// Fails with errSSLBadConfiguration when a size does not fit the suite, with
    /// CAPABILITY_NOT_SUPPORTED when this machine lacks the backend, with errSSLInternal when the
    /// backend does not take the key.
    static Result<RecordOpener> make(CryptoBackend backend, const RecordKey& key);
    RecordOpener(RecordOpener&& other) noexcept;
    RecordOpener& operator=(RecordOpener&& other) noexcept;
    ~RecordOpener();

    /// The plaintext of `record`, written to the front of `plaintext`, which has room for
    /// `record.size() - record_overhead(suite())` bytes and does not overlap it; or why it was
    /// dropped: record_too_short, record_unknown, record_forged, record_replayed (RFC 6347 section
    /// 4.1.2.6 and 4.1.2.7). After a drop the content of `plaintext` is without meaning.
    /// A datagram carries one record of application data: bytes behind it make it unknown.
    std::expected<std::span<std::byte>, Drop> open(ByteView record, std::span<std::byte> plaintext);

    RecordSuite suite() const { return suite_; }
    CryptoBackend backend() const { return backend_; }
    std::size_t overhead() const { return record_overhead(suite_); }
    std::uint16_t epoch() const { return epoch_; }
    /// The number of the record that was opened last, and whether it was the newest so far: only a
    /// newer one may move a session to another source address.
    std::uint64_t last_sequence() const { return last_sequence_; }
    bool was_newest() const { return was_newest_; }

private:
    RecordOpener(std::unique_ptr<RecordCipher> cipher, CryptoBackend backend, const RecordKey& key);

    std::unique_ptr<RecordCipher> cipher_;
    RecordSuite suite_;
    CryptoBackend backend_;
    std::uint16_t epoch_;
    std::uint64_t iv_tail_;
    std::uint32_t iv_head_;
    std::uint64_t last_sequence_ = 0;
    bool was_newest_ = false;
    ReplayWindow window_;
};

}  // namespace causeway::datapath
