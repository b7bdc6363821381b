#include "tests/support/program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace causeway::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool is_readable(int fd, std::chrono::milliseconds patience) {
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, static_cast<int>(patience.count())) > 0;
}

void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
}

}  // namespace

Program::Program(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    require(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0, "no pipes");
    pid_ = fork();
    require(pid_ >= 0, "no process");
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        dup2(output[1], STDERR_FILENO);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    input_.reset(input[1]);
    output_.reset(output[0]);
    ::close(input[0]);
    ::close(output[1]);
}

Program::~Program() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void Program::write(std::string_view text) {
    const auto count = ::write(input_.get(), text.data(), text.size());
    require(count == static_cast<ssize_t>(text.size()), "the program takes no input");
}

bool Program::read_until(std::string_view wanted) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (printed_.find(wanted) == std::string::npos) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            limit - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !is_readable(output_.get(), left)) return false;
        std::array<char, 4096> room{};
        const auto count = ::read(output_.get(), room.data(), room.size());
        if (count <= 0) return false;
        printed_.append(room.data(), static_cast<std::size_t>(count));
    }
    return true;
}

UdpSocket::UdpSocket(bool is_connected)
    : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), is_connected_(is_connected) {
    require(static_cast<bool>(fd_), "no socket");
}

UdpSocket UdpSocket::bound() {
    UdpSocket made(false);
    const auto address = loopback(0);
    require(
        ::bind(made.fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "no port");
    return made;
}

UdpSocket UdpSocket::connected(std::uint16_t port) {
    UdpSocket made(true);
    const auto address = loopback(port);
    require(
        ::connect(made.fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "no connection");
    return made;
}

std::uint16_t UdpSocket::port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

void UdpSocket::send(ByteView datagram) {
    // What a peer that is not there yet refuses is lost, like anything else on UDP.
    static_cast<void>(::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL));
}

std::optional<Bytes> UdpSocket::receive(std::chrono::milliseconds patience) {
    if (!is_readable(fd_.get(), patience)) return std::nullopt;
    Bytes datagram(65536);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count = ::recvfrom(fd_.get(), datagram.data(), datagram.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &size);
    if (count <= 0) return std::nullopt;
    if (!is_connected_) {
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&from), size);
        is_connected_ = true;
    }
    datagram.resize(static_cast<std::size_t>(count));
    return datagram;
}

std::uint16_t free_udp_port() { return UdpSocket::bound().port(); }

TextFile::TextFile(std::string_view content) {
    const Fd file(mkstemp(path_.data()));
    require(file && ::write(file.get(), content.data(), content.size()) ==
                        static_cast<ssize_t>(content.size()),
            "no file");
}

TextFile::~TextFile() { ::unlink(path_.c_str()); }

}  // namespace causeway::test
