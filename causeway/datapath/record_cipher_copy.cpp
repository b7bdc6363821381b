// A copy in place of a cipher, for measuring what ciphers cost. It protects nothing, so it exists
// only in a build that was configured for it (CAUSEWAY_MEASURE_COPY_CIPHER), and such a build has
// no other: it cannot talk to anybody else by mistake.

#ifdef CAUSEWAY_MEASURE_COPY_CIPHER

#include "causeway/datapath/record_cipher.h"

#include <cstring>

namespace causeway::datapath {
namespace {

class CopyCipher final : public RecordCipher {
public:
    bool seal(const RecordNonce&, const RecordHeaderToSign&, ByteView plaintext,
              std::byte* sealed) override {
        if (!plaintext.empty()) std::memcpy(sealed, plaintext.data(), plaintext.size());
        std::memset(sealed + plaintext.size(), 0, record_tag_size);
        return true;
    }

    bool open(const RecordNonce&, const RecordHeaderToSign&, ByteView sealed,
              std::byte* plaintext) override {
        constexpr std::array<std::byte, record_tag_size> tag{};
        const std::size_t size = sealed.size() - record_tag_size;
        if (size > 0) std::memcpy(plaintext, sealed.data(), size);
        return std::memcmp(sealed.data() + size, tag.data(), tag.size()) == 0;
    }
};

}  // namespace

std::unique_ptr<RecordCipher> make_copy_cipher() { return std::make_unique<CopyCipher>(); }

}  // namespace causeway::datapath

#endif
