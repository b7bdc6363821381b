#include "causeway/datapath/record_sealer.h"

#include "causeway/datapath/record_cipher.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::datapath {
namespace {

constexpr std::uint64_t sequence_end = std::uint64_t{1} << 48;

}  // namespace

RecordSealer::RecordSealer(std::unique_ptr<RecordCipher> cipher, CryptoBackend backend,
                           const RecordKey& key, std::uint64_t first_sequence,
                           std::uint64_t first_explicit_nonce)
    : cipher_(std::move(cipher)),
      suite_(key.suite),
      backend_(backend),
      epoch_(key.epoch),
      sequence_(first_sequence),
      end_(std::min(sequence_end, first_sequence + record_count_limit(key.suite))),
      explicit_nonce_(first_explicit_nonce),
      iv_tail_(iv_size(key.suite) == record_nonce_size ? get_number<8>(key.iv.data() + 4) : 0),
      iv_head_(static_cast<std::uint32_t>(get_number<4>(key.iv.data()))) {}

RecordSealer::RecordSealer(RecordSealer&& other) noexcept = default;
RecordSealer& RecordSealer::operator=(RecordSealer&& other) noexcept = default;
RecordSealer::~RecordSealer() = default;

Result<RecordSealer> RecordSealer::make(CryptoBackend backend, const RecordKey& key,
                                        std::uint64_t first_sequence,
                                        std::optional<std::uint64_t> first_explicit_nonce) {
    if (first_sequence >= sequence_end)
        return fail(
            Tls::errSSLBadConfiguration,
            fmt::format("records have numbers of 48 bits, and {} has more", first_sequence));
    auto cipher = make_record_cipher(backend, key, CipherUse::seal);
    if (!cipher) return pass(cipher);
    const std::uint64_t nonce =
        first_explicit_nonce.value_or(std::uint64_t{key.epoch} << 48 | first_sequence);
    return RecordSealer(std::move(*cipher), chosen(backend), key, first_sequence, nonce);
}

std::size_t RecordSealer::seal(ByteView plaintext, std::span<std::byte> record, RecordType type) {
    if (sequence_ == end_) return 0;
    const std::uint64_t number = std::uint64_t{epoch_} << 48 | sequence_++;
    const std::uint64_t explicit_nonce = explicit_nonce_++;
    const std::size_t explicit_size = explicit_nonce_size(suite_);
    const std::size_t sealed_size = explicit_size + plaintext.size() + record_tag_size;

    std::byte* const header = record.data();
    header[0] = static_cast<std::byte>(type);
    put_number<2>(header + 1, 0xfefd);
    put_number<8>(header + 3, number);
    put_number<2>(header + 11, sealed_size);

    RecordHeaderToSign signed_header;
    put_number<8>(signed_header.data(), number);
    signed_header[8] = header[0];
    put_number<2>(signed_header.data() + 9, 0xfefd);
    put_number<2>(signed_header.data() + 11, plaintext.size());

    RecordNonce nonce;
    put_number<4>(nonce.data(), iv_head_);
    // RFC 5288 section 3: "nonce_explicit" behind the salt. RFC 7905 section 2: the number,
    // padded to the left, XORed into the iv.
    put_number<8>(nonce.data() + 4, explicit_size > 0 ? explicit_nonce : number ^ iv_tail_);
    if (explicit_size > 0) put_number<8>(header + record_header_size, explicit_nonce);

    std::byte* const sealed = header + record_header_size + explicit_size;
    // The number is used up even when nothing came of it.
    if (!cipher_->seal(nonce, signed_header, plaintext, sealed)) return 0;
    return record_header_size + sealed_size;
}

}  // namespace causeway::datapath
