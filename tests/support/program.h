// A program of somebody else beside the test, with pipes to its input and output, and the UDP
// socket on the loopback that it talks to.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::test {

class Program {
public:
    explicit Program(std::vector<std::string> words);
    /// Kills it.
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void write(std::string_view text);
    /// Reads what it prints until that text has come, for ten seconds at most.
    bool read_until(std::string_view wanted);

private:
    pid_t pid_ = -1;
    Fd input_;
    Fd output_;
    std::string printed_;
};

class UdpSocket {
public:
    /// On 127.0.0.1, some free port; the first sender becomes its peer.
    static UdpSocket bound();
    static UdpSocket connected(std::uint16_t port);

    std::uint16_t port() const;
    void send(ByteView datagram);
    std::optional<Bytes> receive(std::chrono::milliseconds patience);

private:
    explicit UdpSocket(bool is_connected);
    Fd fd_;
    bool is_connected_;
};

/// A port that nobody uses now.
std::uint16_t free_udp_port();

/// A file that is gone with its owner.
class TextFile {
public:
    explicit TextFile(std::string_view content);
    ~TextFile();
    TextFile(const TextFile&) = delete;
    TextFile& operator=(const TextFile&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_ = "/tmp/causeway-test-XXXXXX";
};

}  // namespace causeway::test
