#include "causeway/provider/name_query.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace causeway::provider {
namespace {

// The server that answers for one family usually answers for the other at once; some swallow
// questions for IPv6. So the second answer is waited for only this long (RFC 8305 section 3 asks
// for 50 ms after IPv4); after IPv6 longer, for a machine may have that and no way out with it.
constexpr std::chrono::milliseconds patience_after_ipv4{50};
constexpr std::chrono::milliseconds patience_after_ipv6{1'000};

struct FamilyAnswer {
    bool arrived = false;
    int status = ARES_ETIMEOUT;
    std::vector<IpAddress> addresses;
};

template <typename Record, typename Parse>
FamilyAnswer parse_answer(Parse parse, int status, const unsigned char* bytes, int size) {
    if (status != ARES_SUCCESS) return {true, status, {}};
    std::array<Record, address_limit> records;
    int count = static_cast<int>(records.size());
    FamilyAnswer answer{true, parse(bytes, size, nullptr, records.data(), &count), {}};
    if (answer.status != ARES_SUCCESS) return answer;
    for (const auto& record : std::span(records).first(static_cast<std::size_t>(count))) {
        // Both record types begin with the address, of 4 or 16 bytes.
        constexpr auto size_of_address = sizeof(Record::ipaddr_of(record));
        const auto address = IpAddress::from_bytes(
            std::as_bytes(std::span(&Record::ipaddr_of(record), 1)).first(size_of_address));
        if (address) answer.addresses.push_back(*address);
    }
    return answer;
}

struct Ipv4Record : ares_addrttl {
    static const in_addr& ipaddr_of(const Ipv4Record& record) { return record.ipaddr; }
};
struct Ipv6Record : ares_addr6ttl {
    static const ares_in6_addr& ipaddr_of(const Ipv6Record& record) { return record.ip6addr; }
};

NameAnswer answer_of(int status) {
    switch (status) {
        case ARES_SUCCESS: return NameAnswer::found;
        case ARES_ENOTFOUND: return NameAnswer::no_such_name;
        case ARES_ENODATA: return NameAnswer::no_address;
        case ARES_ESERVFAIL: return NameAnswer::server_failure;
        case ARES_EREFUSED:
        case ARES_ENOTIMP: return NameAnswer::refused;
        case ARES_ECONNREFUSED: return NameAnswer::unreachable;
        case ARES_EBADRESP:
        case ARES_EFORMERR:
        case ARES_EBADNAME: return NameAnswer::malformed;
        default: return NameAnswer::no_answer;
    }
}

}  // namespace

class NameQuery::Work {
public:
    Work(EventLoop& loop, std::chrono::milliseconds patience, Protect protect, Done done)
        : loop_(loop), protect_(std::move(protect)), done_(std::move(done)) {
        limit_ = loop_.at(Clock::now() + patience, [this] { conclude(); });
    }
    ~Work() {
        ending_ = true;
        if (channel_) ares_destroy(channel_);
    }

    void start(const NameServer& server, const std::string& name,
               std::chrono::milliseconds patience) {
        if (const int status = open(server, patience); status != ARES_SUCCESS) {
            cause_ = Error{
                Code(Service::SYSTEM_INTERNAL_ERROR),
                std::string("the DNS library refused its settings: ") + ares_strerror(status)};
            limit_ = loop_.at(Clock::now(), [this] { conclude(); });
            return;
        }
        ares_query(channel_, name.c_str(), C_IN, T_AAAA, &Work::ipv6_arrived, this);
        ares_query(channel_, name.c_str(), C_IN, T_A, &Work::ipv4_arrived, this);
        set_timer();
    }

private:
    int open(const NameServer& server, std::chrono::milliseconds patience) {
        // Everything is set, so that the library reads no file and no default of its own.
        ares_options options{};
        options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
        options.timeout = static_cast<int>(patience.count() / 3);  // once that, then twice that
        options.tries = 2;
        options.ndots = 1;
        options.lookups = lookups_.data();
        options.sock_state_cb = &Work::socket_state;
        options.sock_state_cb_data = this;
        const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                         ARES_OPT_LOOKUPS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
                         ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB;
        if (const int status = ares_init_options(&channel_, &options, mask);
            status != ARES_SUCCESS) {
            channel_ = nullptr;
            return status;
        }
        ares_set_socket_configure_callback(channel_, &Work::configure, this);
        auto address = server.address.text();
        if (!server.zone.empty()) address += "%" + server.zone;
        if (!server.address.is_v4()) address = "[" + address + "]";
        return ares_set_servers_ports_csv(channel_,
                                          (address + ":" + std::to_string(server.port)).c_str());
    }

    static int configure(ares_socket_t fd, int, void* self) {
        auto& work = *static_cast<Work*>(self);
        if (!work.protect_) return 0;
        auto protection = work.protect_(fd);
        if (protection) return 0;
        work.cause_ = std::move(protection).error();
        return -1;
    }

    static void socket_state(void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<Work*>(self)->watch(fd, readable, writable);
    }

    void watch(int fd, int readable, int writable) {
        if (!readable && !writable) {
            watches_.erase(fd);
            return;
        }
        const std::uint32_t flags =
            (readable ? std::uint32_t{EPOLLIN} : 0) | (writable ? std::uint32_t{EPOLLOUT} : 0);
        if (const auto found = watches_.find(fd); found != watches_.end()) {
            found->second.want(flags);
            return;
        }
        watches_[fd] = loop_.watch(fd, flags, [this, fd](std::uint32_t ready) {
            const bool in = (ready & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
            const bool out = (ready & EPOLLOUT) != 0;
            ares_process_fd(channel_, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
            set_timer();
        });
    }

    void set_timer() {
        timeval room{};
        const timeval* left = ares_timeout(channel_, nullptr, &room);
        if (!left) {
            timer_.reset();
            return;
        }
        const auto wait = std::chrono::seconds(left->tv_sec) +
                          std::chrono::microseconds(left->tv_usec) + std::chrono::milliseconds(1);
        timer_ = loop_.at(Clock::now() + wait, [this] {
            ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            set_timer();
        });
    }

    static void ipv4_arrived(void* self, int status, int, unsigned char* bytes, int size) {
        auto& work = *static_cast<Work*>(self);
        if (work.ending_) return;
        work.ipv4_ = parse_answer<Ipv4Record>(&ares_parse_a_reply, status, bytes, size);
        work.arrived(patience_after_ipv4, work.ipv4_);
    }

    static void ipv6_arrived(void* self, int status, int, unsigned char* bytes, int size) {
        auto& work = *static_cast<Work*>(self);
        if (work.ending_) return;
        work.ipv6_ = parse_answer<Ipv6Record>(&ares_parse_aaaa_reply, status, bytes, size);
        work.arrived(patience_after_ipv6, work.ipv6_);
    }

    void arrived(std::chrono::milliseconds patience, const FamilyAnswer& answer) {
        // Never concluded here: the library does not let itself be destroyed in its own callback.
        if (ipv4_.arrived && ipv6_.arrived)
            limit_ = loop_.at(Clock::now(), [this] { conclude(); });
        else if (!answer.addresses.empty())
            limit_ = loop_.at(Clock::now() + patience, [this] { conclude(); });
    }

    void conclude() {
        NameReply reply{summary(), ipv6_.addresses, std::move(cause_)};
        reply.addresses.insert(reply.addresses.end(), ipv4_.addresses.begin(),
                               ipv4_.addresses.end());
        auto done = std::move(done_);
        done(std::move(reply));  // may destroy this
    }

    NameAnswer summary() const {
        if (!ipv4_.addresses.empty() || !ipv6_.addresses.empty()) return NameAnswer::found;
        const auto first = answer_of(ipv4_.status);
        const auto second = answer_of(ipv6_.status);
        // "No address" of one family says something only when the other family's answer came too.
        if (first == NameAnswer::no_such_name || second == NameAnswer::no_such_name)
            return NameAnswer::no_such_name;
        return first == NameAnswer::no_address ? second : first;
    }

    EventLoop& loop_;
    Protect protect_;
    Done done_;
    ares_channel channel_ = nullptr;
    std::array<char, 2> lookups_{'b', '\0'};
    std::map<int, EventLoop::Watch> watches_;
    EventLoop::Timer timer_;
    EventLoop::Timer limit_;
    FamilyAnswer ipv4_;
    FamilyAnswer ipv6_;
    std::optional<Error> cause_;
    bool ending_ = false;
};

NameQuery::NameQuery(EventLoop& loop, const NameServer& server, const std::string& name,
                     std::chrono::milliseconds patience, Protect protect, Done done)
    : work_(std::make_unique<Work>(loop, patience, std::move(protect), std::move(done))) {
    work_->start(server, name, patience);
}

NameQuery::~NameQuery() = default;

}  // namespace causeway::provider
