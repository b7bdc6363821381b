#include "causeway/ipc/channel.h"

#include "causeway/ipc/limits.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <nlohmann/json.hpp>

namespace causeway::ipc {
namespace {

using nlohmann::json;

Error last_error(const char* call) { return system_error(errno, call); }

Error closed_between_messages() {
    return system_error(EPIPE, "recvmsg", "the other process closed the channel");
}

Error closed_inside_a_message() {
    return system_error(ECONNRESET, "recvmsg",
                        "the other process closed the channel in the middle of a message");
}

Error too_many_descriptors() {
    return system_error(
        EBADMSG, "recvmsg",
        fmt::format("more descriptors arrived than the {} a message may have", descriptor_limit));
}

/// The member as a number; nothing when it is missing or something else.
std::optional<std::uint64_t> number_of(const json& body, const char* member) {
    const auto found = body.find(member);
    if (found == body.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
}

}  // namespace

json Message::json() const { return nlohmann::json::parse(text); }

Channel::Channel(Fd socket) : socket_(std::move(socket)) {
    if (auto done = make_non_blocking(socket_.get()); !done) failure_ = std::move(done).error();
}

Result<std::pair<Channel, Channel>> Channel::pair() {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return std::unexpected(last_error("socketpair"));
    return std::pair(Channel(Fd(ends[0])), Channel(Fd(ends[1])));
}

std::unexpected<Error> Channel::latch(Error error) {
    return std::unexpected(failure_.emplace(std::move(error)));
}

Result<std::optional<Message>> Channel::receive() {
    if (!kept_.empty()) {
        Message message = std::move(kept_.front());
        kept_.pop_front();
        return message;
    }
    return next_arrived();
}

Result<std::optional<Message>> Channel::next_arrived() {
    while (true) {
        auto message = take();
        if (!message || *message) return message;
        auto more = read_some();
        if (!more) return pass(more);
        if (!*more) return std::nullopt;
    }
}

Result<bool> Channel::read_some() {
    if (failure_) return std::unexpected(*failure_);
    std::array<std::byte, 65536> buffer;
    auto arrival = ipc::receive(socket_.get(), buffer, arrived_);
    if (!arrival) return latch(std::move(arrival).error());
    if (!*arrival) return false;
    const auto count = (*arrival)->count;
    if ((*arrival)->is_incomplete || arrived_.size() > descriptor_limit)
        return latch(too_many_descriptors());
    if (count == 0 && !reader_.is_empty()) return latch(closed_inside_a_message());
    if (count == 0) {
        closed_ = true;
        return latch(closed_between_messages());
    }
    reader_.feed(ByteView(buffer).first(count));
    return true;
}

Result<std::optional<Message>> Channel::take() {
    if (failure_) return std::unexpected(*failure_);
    auto text = reader_.next();
    if (!text) return latch(std::move(text).error());
    if (!*text) {
        // Descriptors come with the first byte of their message, never between two.
        if (reader_.is_empty() && !arrived_.empty())
            return latch(
                system_error(EBADMSG, "recvmsg", "descriptors arrived that no message announced"));
        return std::nullopt;
    }

    Message message{std::move(**text), {}};
    const std::uint64_t announced = number_of(message.json(), "descriptors").value_or(0);
    if (announced > arrived_.size())
        return latch(system_error(EBADMSG, "recvmsg",
                                  fmt::format("a message announced {} descriptors and {} came",
                                              announced, arrived_.size())));
    const auto end = arrived_.begin() + static_cast<std::ptrdiff_t>(announced);
    std::move(arrived_.begin(), end, std::back_inserter(message.descriptors));
    arrived_.erase(arrived_.begin(), end);
    return message;
}

Result<void> Channel::send(const json& body, std::vector<Fd> descriptors) {
    if (failure_) return std::unexpected(*failure_);
    if (!body.is_object() || descriptors.size() > descriptor_limit)
        return std::unexpected(
            system_error(EINVAL, "send", "a message is one object with at most 8 descriptors"));

    json announced = body;
    announced.erase("descriptors");
    if (!descriptors.empty()) announced["descriptors"] = descriptors.size();
    const std::string text = announced.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > message_limit)
        return std::unexpected(system_error(
            EMSGSIZE, "send",
            fmt::format("a message of {} bytes, limit {}", text.size(), message_limit)));
    if (queue_.bytes() + text.size() > queue_limit)
        return std::unexpected(system_error(
            ENOBUFS, "send",
            fmt::format("the other process does not read: {} bytes wait for it", queue_.bytes())));

    queue_.push(frame(text), std::move(descriptors));
    return flush();
}

// A failure to write does not latch: what the peer said before it went away can still be read.
Result<void> Channel::flush() {
    if (failure_ && wants_write()) return std::unexpected(*failure_);
    return queue_.flush(socket_.get());
}

Result<void> Channel::drain(Clock::duration timeout) {
    const Instant until = Clock::now() + timeout;
    while (true) {
        if (auto flushed = flush(); !flushed) return flushed;
        if (queue_.is_empty()) return {};
        if (auto ready = wait_for(POLLOUT, until); !ready) return ready;
    }
}

Result<void> Channel::wait_for(short events, Instant until) {
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0)
            return std::unexpected(
                system_error(ETIMEDOUT, "poll", "the other process did not answer in time"));
        pollfd waiting{socket_.get(), events, 0};
        const int count = poll(&waiting, 1, static_cast<int>(std::min<long>(left.count(), 60000)));
        if (count > 0) return {};
        if (count < 0 && errno != EINTR) return std::unexpected(last_error("poll"));
    }
}

Result<Message> Channel::ask(const json& body, std::vector<Fd> descriptors,
                             Clock::duration timeout) {
    const Instant until = Clock::now() + timeout;
    json question = body;
    question["ask"] = ++asked_;
    if (auto sent = send(question, std::move(descriptors)); !sent) return pass(sent);
    if (auto drained = drain(timeout); !drained) return pass(drained);
    return await_answer(asked_, until);
}

Result<Message> Channel::await_answer(std::uint64_t number, Instant until) {
    while (true) {
        auto message = next_arrived();
        if (!message) return pass(message);
        if (!*message) {
            if (auto ready = wait_for(POLLIN, until); !ready) return pass(ready);
            continue;
        }
        const auto answered = number_of((*message)->json(), "answer");
        if (answered == number) return std::move(**message);
        // The late answer to a question that was given up has nobody waiting for it.
        if (answered) continue;
        if (kept_.size() == kept_limit)
            return latch(system_error(ENOBUFS, "ask", "too many messages came before the answer"));
        kept_.push_back(std::move(**message));
    }
}

Result<void> Channel::answer(const Message& question, const json& body,
                             std::vector<Fd> descriptors) {
    const auto number = number_of(question.json(), "ask");
    if (!number)
        return std::unexpected(system_error(EINVAL, "answer", "the message asked for no answer"));
    json reply = body;
    reply["answer"] = *number;
    return send(reply, std::move(descriptors));
}

Result<PeerCredentials> peer_credentials(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return std::unexpected(last_error("getsockopt SO_PEERCRED"));
    return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace causeway::ipc
