#include "tests/load/load_traffic.h"

#include "causeway/base/text.h"
#include "causeway/datapath/checksum.h"
#include "causeway/datapath/packet_layout.h"
#include "causeway/protocol/datagram_suites.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace causeway::load {
namespace {

using std::chrono::milliseconds;

constexpr int trains_a_turn = 64;
constexpr int receive_buffer = 64 << 20;
constexpr milliseconds tick_length(20);
// A train that takes so long is lost: several times what the queues on its way can hold.
constexpr milliseconds patience(400);
// Trains of one loop in one measurement.
constexpr std::uint32_t numbers_a_measurement = 1'000'000;
constexpr std::uint16_t own_port = 5001;
constexpr std::size_t udp_checksum_offset = 6;

std::size_t number_of(const IpAddress& address) {
    return big_endian_16(address.bytes().subspan(2));
}

/// That many addresses behind the first, within its /16.
IpAddress address_behind(const IpAddress& first, std::size_t count) {
    return IpAddress::v4(big_endian_32(first.bytes()) + static_cast<std::uint32_t>(count));
}

}  // namespace

std::optional<Order> Order::parse(std::string_view line) {
    std::vector<std::string_view> words;
    for (const auto word : split(trim(line), ' ')) words.push_back(word);
    if (words.size() != 5) return std::nullopt;
    Order order;
    order.uploads = words[0] == "up" || words[0] == "both";
    order.downloads = words[0] == "down" || words[0] == "both";
    const auto sessions = parse_number<std::size_t>(words[1], 1, 65'000);
    const auto on_the_way = parse_number<std::size_t>(words[2], 1, 65'000);
    const auto count = parse_number<std::uint16_t>(words[3], 1, train_count_limit);
    const auto time = parse_number<std::uint32_t>(words[4], 10, 600'000);
    if (!(order.uploads || order.downloads) || !sessions || !on_the_way || !count || !time)
        return std::nullopt;
    order.sessions = *sessions;
    order.on_the_way = *on_the_way;
    order.count = *count;
    order.time = milliseconds(*time);
    return order;
}

Result<std::unique_ptr<Traffic>> Traffic::open(EventLoop& loop, Settings settings) {
    Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = Endpoint{IpAddress(), 0}.to_sockaddr(storage);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        return std::unexpected(system_error(errno, "bind"));
    auto port = datapath::UdpPort::open(std::move(fd));
    if (!port) return pass(port);
    // Each client would have a socket of its own, with a buffer of its own.
    if (setsockopt(port->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(int)) != 0)
        return std::unexpected(system_error(errno, "setsockopt SO_RCVBUFFORCE"));
    return std::unique_ptr<Traffic>(new Traffic(loop, std::move(settings), std::move(*port)));
}

Traffic::Traffic(EventLoop& loop, Settings settings, datapath::UdpPort port)
    : loop_(loop),
      settings_(std::move(settings)),
      port_(std::move(port)),
      way_(port_),
      receive_(*this),
      first_number_(number_of(settings_.first_own)),
      room_(datapath::super_packet_headroom + inner_headers +
            train_count_limit * train_payload_limit) {
    watch_ = loop_.watch(port_.fd(), EPOLLIN, [this](std::uint32_t flags) { on_ready(flags); });
    tick();
}

// ---- Channels ----------------------------------------------------------------------------------

Result<void> Traffic::add(LoadClient& client) {
    const auto& offered = client.granted().datagram;
    if (!offered || offered->cipher_suite != protocol::psk_negotiate)
        return fail(Vpn::negotiationFailed, "the gateway offers no datagrams with a key from TLS");
    auto key = client.export_key(protocol::psk_exporter_label, protocol::psk_size);
    if (!key) return pass(key);
    ChannelSettings channel;
    channel.path = {{settings_.gateway.address, offered->port},
                    address_behind(settings_.first_own, sessions_.size())};
    channel.key = {Secret(std::string(as_text(*key))), offered->app_id};
    channel.times = {offered->dpd, offered->keepalive, !offered->connection_id.empty()};
    channel.mtu = static_cast<std::size_t>(client.granted().mtu);
    auto& session = sessions_.emplace_back();
    session.inner = client.granted().address_v4->address;
    session.channel = std::make_unique<LoadChannel>(std::move(channel), way_, Clock::now());
    return {};
}

void Traffic::when_settled(std::size_t count, EventLoop::Action action) {
    settled_count_ = count;
    settled_ = std::move(action);
}

std::size_t Traffic::carrying() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sessions_, [](const Session& session) { return session.channel->carries(); }));
}

std::optional<Error> Traffic::failure() const {
    for (const auto& session : sessions_)
        if (session.channel->failure()) return session.channel->failure();
    return std::nullopt;
}

/// Deadlines of channels and trains are looked at together: a timer for each would cost more than
/// they are worth.
void Traffic::tick() {
    const auto now = Clock::now();
    std::size_t settled = 0;
    for (auto& session : sessions_) {
        if (const auto due = session.channel->deadline(); due && *due <= now)
            session.channel->advance(now);
        if (session.channel->carries() || session.channel->failure()) ++settled;
    }
    for (std::uint32_t i = 0; i < loops_.size(); ++i) {
        if (!loops_[i].is_waiting || now - loops_[i].sent < patience) continue;
        ++lost_;
        over(i);
    }
    flush();
    if (settled_ && settled >= settled_count_) std::exchange(settled_, nullptr)();
    tick_ = loop_.at(now + tick_length, [this] { tick(); });
}

// ---- From the network --------------------------------------------------------------------------

void Traffic::on_ready(std::uint32_t flags) {
    if ((flags & EPOLLOUT) != 0) flush();
    for (int i = 0; i < trains_a_turn; ++i) {
        auto train = port_.receive_train();
        if (!train) break;
        take_train(*train);
    }
    while (port_.trouble()) {
    }
    flush();
}

void Traffic::take_train(datapath::Train& train) {
    const std::size_t index = number_of(train.path.local) - first_number_;
    if (index >= sessions_.size()) return;
    const auto now = Clock::now();
    current_ = &sessions_[index];
    for (auto datagram = train.next(); !datagram.empty(); datagram = train.next())
        current_->channel->feed(datagram, receive_, now);
    receive_.flush();
    current_->channel->end_train(now);
    current_ = nullptr;
}

void Traffic::take(const datapath::SuperPacket& packet, std::size_t count) {
    const auto layout = datapath::layout_of(packet.bytes);
    if (!layout || layout->protocol != datapath::udp_protocol ||
        layout->transport + datapath::udp_header_size != inner_headers)
        return;
    auto rest = ByteView(packet.bytes).first(layout->length).subspan(inner_headers);
    const std::size_t size = count > 1 ? packet.offload.segment_size : rest.size();
    while (!rest.empty()) {
        const auto datagram = rest.first(std::min(size, rest.size()));
        rest = rest.subspan(datagram.size());
        if (const auto head = read_head(datagram)) take_datagram(*head, datagram.size());
    }
}

void Traffic::take_datagram(const TrainHead& head, std::size_t size) {
    if (head.loop >= loops_.size() || head.number / numbers_a_measurement != measurement_) return;
    auto& loop = loops_[head.loop];
    if (&sessions_[loop.session] != current_) return;
    // A receipt speaks for the datagrams that it is about.
    const bool is_receipt = head.kind == TrainKind::receipt;
    const std::size_t bytes = is_receipt ? std::size_t{head.index} * head.size : size;
    current_->arrived += bytes;
    all_bytes_ += bytes;
    if (!loop.is_waiting || head.number != loop.number) return;
    if (is_receipt || head.index + 1 == head.count) over(head.loop);
}

// ---- To the network ----------------------------------------------------------------------------

void Traffic::measure(const Order& order, std::move_only_function<void(std::string)> done) {
    order_ = order;
    order_.sessions = std::min(order_.sessions, sessions_.size());
    done_ = std::move(done);
    trains_ = lost_ = all_bytes_ = 0;
    ++measurement_;
    start_loops();
    phase_ = loop_.at(Clock::now() + order_.time / 4, [this] {
        for (auto& session : sessions_) session.arrived = 0;
        trains_ = lost_ = 0;
        began_ = Clock::now();
        processor_began_ = processor_seconds();
        overflowed_began_ = port_.overflowed();
        phase_ = loop_.at(began_ + order_.time, [this] {
            auto line = report();
            ready_.clear();
            loops_.clear();
            on_the_way_ = 0;
            std::exchange(done_, nullptr)(std::move(line));
        });
    });
}

void Traffic::start_loops() {
    const std::size_t each = (order_.on_the_way + order_.sessions - 1) / order_.sessions;
    for (std::size_t i = 0; i < order_.sessions * each; ++i)
        for (const bool is_upload : {false, true})
            if (is_upload ? order_.uploads : order_.downloads)
                loops_.push_back({.session = static_cast<std::uint32_t>(i % order_.sessions),
                                  .is_upload = is_upload});
    for (std::uint32_t i = 0; i < loops_.size(); ++i) {
        auto& session = sessions_[loops_[i].session];
        session.payload =
            std::min(session.channel->packet_limit() - inner_headers, train_payload_limit);
        loops_[i].number = measurement_ * numbers_a_measurement;
        ready_.push_back(i);
    }
    begin_ready();
}

void Traffic::begin_ready() {
    // What does not fit into the socket would be dropped by ourselves.
    while (!ready_.empty() && on_the_way_ < order_.on_the_way && !way_.is_waiting()) {
        const auto index = ready_.front();
        ready_.pop_front();
        begin(index);
    }
    way_.flush();
    want_writing();
}

void Traffic::begin(std::uint32_t index) {
    auto& loop = loops_[index];
    ++trains_;
    ++on_the_way_;
    ++loop.number;
    loop.is_waiting = true;
    loop.sent = Clock::now();
    if (loop.is_upload)
        send_data(loop, index);
    else
        send_ask(loop, index);
}

/// The train arrived or is lost.
void Traffic::over(std::uint32_t index) {
    loops_[index].is_waiting = false;
    --on_the_way_;
    ready_.push_back(index);
}

/// The headers of a super-packet from the session to the peer, with room for its payload.
datapath::SuperPacket Traffic::packet_of(const Session& session, std::size_t payload,
                                         std::size_t segment) {
    const auto packet =
        std::span(room_).subspan(datapath::super_packet_headroom, inner_headers + payload);
    std::ranges::fill(packet.first(inner_headers), std::byte{});
    packet[0] = std::byte{0x45};
    datapath::write_16(packet.subspan(2), packet.size());
    packet[8] = std::byte{64};
    packet[9] = std::byte{IPPROTO_UDP};
    std::ranges::copy(session.inner.bytes(), packet.begin() + 12);
    std::ranges::copy(settings_.peer.address.bytes(), packet.begin() + 16);
    datapath::write_header_checksum(packet.first(datapath::ipv4_header_size));
    const auto udp = packet.subspan(datapath::ipv4_header_size);
    datapath::write_16(udp, own_port);
    datapath::write_16(udp.subspan(2), settings_.peer.port);
    datapath::write_16(udp.subspan(4), udp.size());
    // The sum of the pseudo-header is there already, the rest is left to who cuts it.
    const auto sum = datapath::add_sums(
        datapath::pseudo_header_sum(ByteView(packet).subspan(12, 8), datapath::udp_protocol),
        static_cast<std::uint16_t>(udp.size()));
    datapath::write_16(udp.subspan(udp_checksum_offset), sum);
    datapath::VirtioHeader offload;
    offload.needs_checksum = true;
    offload.checksum_start = datapath::ipv4_header_size;
    offload.checksum_offset = udp_checksum_offset;
    if (payload > segment) {
        offload.segmentation = datapath::Segmentation::udp;
        offload.header_size = inner_headers;
        offload.segment_size = static_cast<std::uint16_t>(segment);
    }
    return {packet, offload};
}

void Traffic::send_data(Loop& loop, std::uint32_t index) {
    auto& session = sessions_[loop.session];
    const std::size_t size = session.payload;
    const auto packet = packet_of(session, order_.count * size, size);
    TrainHead head;
    head.size = static_cast<std::uint16_t>(size);
    head.loop = index;
    head.number = loop.number;
    head.count = order_.count;
    for (head.index = 0; head.index < head.count; ++head.index)
        write_head(head, packet.bytes.subspan(inner_headers + head.index * size));
    session.channel->send(packet, loop.sent);
}

void Traffic::send_ask(const Loop& loop, std::uint32_t index) {
    auto& session = sessions_[loop.session];
    const auto packet = packet_of(session, sizeof(TrainHead), sizeof(TrainHead));
    TrainHead head;
    head.kind = TrainKind::ask;
    head.size = static_cast<std::uint16_t>(session.payload);
    head.loop = index;
    head.number = loop.number;
    head.count = order_.count;
    write_head(head, packet.bytes.subspan(inner_headers));
    session.channel->send(packet, loop.sent);
}

void Traffic::flush() {
    way_.flush();
    begin_ready();
}

void Traffic::want_writing() {
    const bool wants = way_.is_waiting();
    if (wants == std::exchange(wants_writing_, wants)) return;
    watch_.want(wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

// ---- What came of it ---------------------------------------------------------------------------

double Traffic::processor_seconds() const {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string Traffic::report() {
    const double took = std::chrono::duration<double>(Clock::now() - began_).count();
    std::vector<std::uint64_t> shares;
    for (std::size_t i = 0; i < order_.sessions; ++i) shares.push_back(sessions_[i].arrived);
    const auto bytes = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
    const double fair =
        std::max(1.0, static_cast<double>(bytes) / static_cast<double>(shares.size()));
    const auto [least, most] = std::ranges::minmax(shares);
    std::uint64_t dropped = way_.drops().total();
    for (const auto& session : sessions_) dropped += session.channel->drops().total();
    return fmt::format(
        "{{\"sessions\":{},\"carrying\":{},\"seconds\":{:.3f},\"gbit_per_s\":{:.3f},"
        "\"smallest_share\":{:.3f},\"largest_share\":{:.3f},\"trains\":{},\"lost_trains\":{},"
        "\"bytes\":{},\"driver_cores\":{:.2f},\"driver_overflowed\":{},\"driver_dropped\":{},"
        "\"packets_a_send\":{:.1f},\"packets_a_receive\":{:.1f},\"shares\":[{}]}}",
        order_.sessions, carrying(), took, 8e-9 * static_cast<double>(bytes) / took,
        static_cast<double>(least) / fair, static_cast<double>(most) / fair, trains_, lost_,
        all_bytes_, (processor_seconds() - processor_began_) / took,
        port_.overflowed() - overflowed_began_, dropped,
        static_cast<double>(port_.sends().packets) /
            static_cast<double>(std::max<std::uint64_t>(1, port_.sends().calls)),
        static_cast<double>(port_.receives().packets) /
            static_cast<double>(std::max<std::uint64_t>(1, port_.receives().calls)),
        fmt::join(shares, ","));
}

}  // namespace causeway::load
