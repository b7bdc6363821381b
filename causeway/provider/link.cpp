#include "causeway/provider/link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

namespace causeway::provider {
namespace {

// As much as one read takes: about forty full packets, so that a busy tunnel works in batches.
constexpr std::size_t read_size = 64 * 1024;
// One turn of the loop reads no more than this, so that the other direction gets its turn too.
constexpr int reads_a_turn = 4;

constexpr std::uint8_t no_renegotiation = 100;  // RFC 5246 section 7.2

}  // namespace

// Held by itself while it works: a handler may destroy the link it is called by.
class Link::Work : public std::enable_shared_from_this<Link::Work> {
public:
    Work(EventLoop& loop, Connection connection, std::shared_ptr<const tls::Context> context,
         const std::string& server_name, Handler handler)
        : loop_(loop),
          socket_(std::move(connection.socket)),
          remote_(connection.remote),
          stream_(std::move(context), {server_name, Clock::now(), wall_now()}),
          handler_(std::move(handler)) {}

    void start() {
        watch_ = loop_.watch(socket_.get(), EPOLLIN, [this](auto flags) { ready(flags); });
        later([this] { work(); });
    }

    void abandon() {
        gone_ = true;
        watch_.reset();
        timer_.reset();
        soon_.reset();
        drained_ = nullptr;
    }

    void set_handler(Handler handler) { handler_ = std::move(handler); }

    void write(std::span<const ByteView> plaintexts) {
        if (ended_) return;
        auto written = stream_.write_many(plaintexts);
        if (!written) return end_soon(std::move(written).error());
        flush();
    }

    void rekey() {
        if (ended_) return;
        if (auto started = stream_.rekey(); !started) return end_soon(std::move(started).error());
        flush();
        later([this] { work(); });
    }

    std::size_t backlog() const { return stream_.pending().size(); }

    void when_drained(EventLoop::Action action) { drained_ = std::move(action); }

    void close(EventLoop::Action closed) {
        handler_ = nullptr;
        closed_ = std::move(closed);
        if (!ended_) stream_.close();
        timer_ = loop_.at(Clock::now() + linger_time, [this] { closed_for_good(); });
        ended_ = true;
        closing_ = true;
        if (!watch_)
            watch_ = loop_.watch(socket_.get(), EPOLLIN, [this](auto flags) { ready(flags); });
        flush();
        if (stream_.pending().empty()) shut_down();
    }

    const tls::Stream& stream() const { return stream_; }
    const Endpoint& remote() const { return remote_; }
    int socket() const { return socket_.get(); }

private:
    void later(EventLoop::Action action) { soon_ = loop_.at(Clock::now(), std::move(action)); }

    void ready(std::uint32_t flags) {
        const auto self = shared_from_this();
        if (flags & EPOLLOUT) flush();
        if (flags & (EPOLLIN | EPOLLERR | EPOLLHUP)) closing_ ? drain() : read();
    }

    void read() {
        static thread_local std::array<std::byte, read_size> buffer;
        for (int i = 0; i < reads_a_turn && !ended_ && !gone_; ++i) {
            const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
            feed(ByteView(buffer).first(count > 0 ? static_cast<std::size_t>(count) : 0),
                 count < 0 ? errno : 0);
            if (count < static_cast<ssize_t>(buffer.size())) return;
        }
    }

    void feed(ByteView bytes, int number) {
        const auto now = Clock::now();
        if (!bytes.empty())
            stream_.feed(bytes, now);
        else if (number != 0)
            stream_.feed_reset(number, now);
        else
            stream_.feed_end(now);
        work();
    }

    /// Takes the stream's events and sends what it has to say.
    void work() {
        const auto self = shared_from_this();
        while (!gone_ && !ended_) {
            auto event = stream_.next();
            if (!event) {
                flush();
                return end(std::move(event).error());
            }
            if (!*event) break;
            handle(**event);
        }
        if (gone_ || ended_) return;
        flush();
        set_timer();
    }

    void handle(const tls::Event& event) {
        if (const auto* data = std::get_if<tls::Data>(&event)) return tell(LinkData{data->bytes});
        if (std::holds_alternative<tls::HandshakeCompleted>(event)) return tell(LinkReady{});
        if (std::holds_alternative<tls::Rekeyed>(event)) return tell(LinkRekeyed{});
        if (const auto* warning = std::get_if<tls::WarningAlert>(&event);
            warning && warning->number == no_renegotiation)
            return tell(LinkRekeyRefused{});
        if (std::holds_alternative<tls::Closed>(event))
            return end({Tls::errSSLClosedGraceful, "the gateway closed the connection in order"});
    }

    void flush() {
        const auto self = shared_from_this();
        while (!gone_) {
            const auto bytes = stream_.pending();
            if (bytes.empty()) break;
            const auto count = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0) {
                if (errno == EAGAIN || errno == EINTR) return want_write(true);
                return write_failed(errno);
            }
            stream_.sent(static_cast<std::size_t>(count));
        }
        want_write(false);
        if (drained_) {
            auto drained = std::move(drained_);
            drained_ = nullptr;
            drained();
        }
        if (closing_ && !gone_) shut_down();
    }

    void want_write(bool wanted) {
        if (wants_write_ == wanted) return;
        wants_write_ = wanted;
        if (watch_) watch_.want(wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    /// The reason is often already here: what the peer said before it closed is read first.
    void write_failed(int number) {
        stream_.sent(stream_.pending().size());
        want_write(false);
        if (closing_) return later([this] { closed_for_good(); });
        if (ended_) return;
        later([this, number] {
            const auto self = shared_from_this();
            for (std::size_t taken = 0; taken < linger_bytes && !ended_ && !gone_;
                 taken += read_size)
                read();
            if (!ended_ && !gone_) feed({}, number);
        });
    }

    void end_soon(Error why) {
        later([this, why = std::move(why)]() mutable { end(std::move(why)); });
    }

    void end(Error why) {
        if (ended_) return;
        ended_ = true;
        timer_.reset();
        watch_.reset();  // a hang-up would be reported again and again
        wants_write_ = false;
        tell(LinkEnded{std::move(why)});
    }

    void tell(LinkEvent event) {
        if (!handler_) return;
        // The handler may set another one: the one that runs lives until it returns.
        auto handler = std::move(handler_);
        handler_ = nullptr;
        handler(std::move(event));
        if (!handler_ && !gone_ && !closing_) handler_ = std::move(handler);
    }

    void set_timer() {
        const auto deadline = stream_.deadline();
        if (!deadline) return timer_.reset();
        timer_ = loop_.at(*deadline, [this] {
            stream_.advance(Clock::now());
            work();
        });
    }

    void shut_down() {
        if (shut_down_) return;
        shut_down_ = true;
        ::shutdown(socket_.get(), SHUT_WR);
        watch_.want(EPOLLIN);
        drain();
    }

    /// After our last words: what the peer still sends is taken and thrown away, so that the
    /// kernel does not answer it with a reset that overtakes our words.
    void drain() {
        std::array<std::byte, 4096> buffer;
        while (drained_bytes_ < linger_bytes) {
            const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (count <= 0) break;
            drained_bytes_ += static_cast<std::size_t>(count);
        }
        watch_.reset();
        later([this] { closed_for_good(); });
    }

    void closed_for_good() {
        const auto self = shared_from_this();
        auto closed = std::move(closed_);
        abandon();
        if (closed) closed();
    }

    EventLoop& loop_;
    Fd socket_;
    Endpoint remote_;
    tls::Stream stream_;
    Handler handler_;
    EventLoop::Watch watch_;
    EventLoop::Timer timer_;
    EventLoop::Timer soon_;
    EventLoop::Action drained_;
    EventLoop::Action closed_;
    std::size_t drained_bytes_ = 0;
    bool wants_write_ = false;
    bool ended_ = false;
    bool closing_ = false;
    bool shut_down_ = false;
    bool gone_ = false;
};

Link::Link(EventLoop& loop, Connection connection, std::shared_ptr<const tls::Context> context,
           const std::string& server_name, Handler handler)
    : work_(std::make_shared<Work>(loop, std::move(connection), std::move(context), server_name,
                                   std::move(handler))) {
    work_->start();
}

Link::~Link() { work_->abandon(); }

void Link::set_handler(Handler handler) { work_->set_handler(std::move(handler)); }
void Link::write(std::span<const ByteView> plaintexts) { work_->write(plaintexts); }
void Link::rekey() { work_->rekey(); }
std::size_t Link::backlog() const { return work_->backlog(); }
void Link::when_drained(EventLoop::Action action) { work_->when_drained(std::move(action)); }
void Link::close(EventLoop::Action closed) { work_->close(std::move(closed)); }
Result<Bytes> Link::export_key(std::string_view label, std::size_t size) const {
    return work_->stream().export_keying_material(label, size);
}
const tls::Summary& Link::summary() const { return work_->stream().summary(); }
const tls::Facts& Link::facts() const { return work_->stream().facts(); }
const Endpoint& Link::remote() const { return work_->remote(); }
int Link::socket() const { return work_->socket(); }

}  // namespace causeway::provider
