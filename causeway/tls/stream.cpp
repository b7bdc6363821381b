#include "causeway/tls/stream.h"

#include "causeway/tls/engine.h"
#include "causeway/tls/limits.h"

namespace causeway::tls {

Stream::Stream(std::shared_ptr<const Context> context, StreamSettings settings)
    : engine_(std::make_unique<Engine>(std::move(context), std::move(settings))) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

void Stream::feed(ByteView bytes, Instant now) { engine_->feed(bytes, now); }
void Stream::feed_end(Instant now) { engine_->feed_end(now); }
void Stream::feed_reset(int number, Instant now) { engine_->feed_reset(number, now); }
Result<std::optional<Event>> Stream::next() { return engine_->next(); }
Result<void> Stream::write(ByteView plaintext) { return engine_->write(plaintext); }

Result<void> Stream::write_many(std::span<const ByteView> plaintexts) {
    std::size_t total = 0;
    for (const auto plaintext : plaintexts) total += plaintext.size() + record_overhead;
    engine_->expect(total);
    for (const auto plaintext : plaintexts)
        if (auto written = engine_->write(plaintext); !written) return written;
    return {};
}

void Stream::close() { engine_->close(); }
Result<void> Stream::rekey() { return engine_->rekey(); }
ByteView Stream::pending() const { return engine_->pending(); }
void Stream::sent(std::size_t count) { engine_->sent(count); }
std::optional<Instant> Stream::deadline() const { return engine_->deadline(); }
void Stream::advance(Instant now) { engine_->advance(now); }
const Summary& Stream::summary() const { return engine_->summary(); }
const Facts& Stream::facts() const { return engine_->facts(); }

Result<Bytes> Stream::export_keying_material(std::string_view label, std::size_t size) const {
    return engine_->export_keying_material(label, size);
}

}  // namespace causeway::tls
