#include "causeway/datapath/record_opener.h"

#include "causeway/datapath/record_cipher.h"

namespace causeway::datapath {

RecordOpener::RecordOpener(std::unique_ptr<RecordCipher> cipher, CryptoBackend backend,
                           const RecordKey& key)
    : cipher_(std::move(cipher)),
      suite_(key.suite),
      backend_(backend),
      epoch_(key.epoch),
      iv_tail_(iv_size(key.suite) == record_nonce_size ? get_number<8>(key.iv.data() + 4) : 0),
      iv_head_(static_cast<std::uint32_t>(get_number<4>(key.iv.data()))) {}

RecordOpener::RecordOpener(RecordOpener&& other) noexcept = default;
RecordOpener& RecordOpener::operator=(RecordOpener&& other) noexcept = default;
RecordOpener::~RecordOpener() = default;

Result<RecordOpener> RecordOpener::make(CryptoBackend backend, const RecordKey& key) {
    auto cipher = make_record_cipher(backend, key, CipherUse::open);
    if (!cipher) return pass(cipher);
    return RecordOpener(std::move(*cipher), chosen(backend), key);
}

std::expected<std::span<std::byte>, Drop> RecordOpener::open(ByteView record,
                                                             std::span<std::byte> plaintext) {
    if (record.size() < record_overhead(suite_)) return std::unexpected(Drop::record_too_short);
    const std::size_t size = record.size() - record_overhead(suite_);
    const std::byte* const header = record.data();
    const std::uint64_t number = get_number<8>(header + 3);
    if (header[0] != static_cast<std::byte>(RecordType::application_data) ||
        get_number<2>(header + 1) != 0xfefd || number >> 48 != epoch_ ||
        get_number<2>(header + 11) != record.size() - record_header_size ||
        size > record_plaintext_limit || size > plaintext.size())
        return std::unexpected(Drop::record_unknown);

    // What was seen already is not worth decrypting; what is marked was authentic (RFC 6347
    // section 4.1.2.6).
    const std::uint64_t sequence = number & 0xffff'ffff'ffff;
    if (!window_.is_new(sequence)) return std::unexpected(Drop::record_replayed);

    RecordHeaderToSign signed_header;
    put_number<8>(signed_header.data(), number);
    signed_header[8] = header[0];
    put_number<2>(signed_header.data() + 9, 0xfefd);
    put_number<2>(signed_header.data() + 11, size);

    const std::size_t explicit_size = explicit_nonce_size(suite_);
    RecordNonce nonce;
    put_number<4>(nonce.data(), iv_head_);
    put_number<8>(nonce.data() + 4, explicit_size > 0 ? get_number<8>(header + record_header_size)
                                                      : number ^ iv_tail_);
    if (!cipher_->open(nonce, signed_header, record.subspan(record_header_size + explicit_size),
                       plaintext.data()))
        return std::unexpected(Drop::record_forged);
    was_newest_ = window_.mark(sequence);
    last_sequence_ = sequence;
    return plaintext.first(size);
}

}  // namespace causeway::datapath
