#include "causeway/gateway/file_keeper.h"

#include "causeway/gateway/config.h"
#include "causeway/program/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

namespace causeway::gateway {
namespace {

using program::drop_privileges;

constexpr auto answer_time_limit = std::chrono::seconds(5);

/// The file itself and what it names, as it is now: a reload may name other files than the start.
bool may_open(const std::string& config_path, const std::string& path) {
    if (path == config_path) return true;
    const auto config = load_config(config_path);
    if (!config) return false;
    const auto& authentication = config->authentication;
    const std::array named = {config->certificate,       config->key,
                              config->key_password_file, authentication.users_file,
                              authentication.client_ca,  authentication.crl_file};
    return std::ranges::find(named, path) != named.end();
}

Result<void> answer(ipc::Channel& channel, const ipc::Message& question,
                    const std::string& config_path) {
    const auto json = question.json();
    const auto found = json.find("open");
    const bool is_question = found != json.end() && found->is_string();
    const std::string path = is_question ? found->get<std::string>() : std::string();
    if (!is_question || !may_open(config_path, path))
        return channel.answer(question, {{"errno", EACCES}});
    auto opened = open_for_reading(path);
    if (!opened) return channel.answer(question, {{"errno", opened.error()}});
    std::vector<Fd> descriptors;
    descriptors.push_back(std::move(*opened));
    return channel.answer(question, {{"errno", 0}}, std::move(descriptors));
}

/// The keeper's whole life: until its gateway is gone.
void keep(ipc::Channel channel, const std::string& config_path) {
    while (true) {
        pollfd waiting{channel.fd(), POLLIN, 0};
        if (poll(&waiting, 1, -1) < 0 && errno != EINTR) return;
        while (true) {
            auto question = channel.receive();
            if (!question) return;
            if (!*question) break;
            if (!answer(channel, **question, config_path)) return;
        }
    }
}

std::unexpected<Error> cannot_start(Error cause) {
    return fail(Vpn::configurationFailed, "the process that reads files for a reload cannot start",
                std::move(cause));
}

}  // namespace

std::expected<Fd, int> open_for_reading(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::unexpected(errno);
    return fd;
}

std::expected<std::string, int> read_opened(const FileOpener& open, const std::string& path,
                                            std::size_t limit) {
    const auto fd = open(path);
    if (!fd) return std::unexpected(fd.error());
    std::string text;
    std::array<char, 16384> part;
    while (true) {
        const ssize_t count = read(fd->get(), part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        if (count == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(count));
        if (text.size() > limit) return std::unexpected(EFBIG);
    }
}

Result<std::unique_ptr<FileKeeper>> FileKeeper::start(const std::string& config_path,
                                                      const program::RunAs& run_as) {
    auto ends = ipc::Channel::pair();
    if (!ends) return cannot_start(std::move(ends).error());
    const pid_t process = fork();
    if (process < 0) return cannot_start(system_error(errno, "fork"));
    if (process == 0) {
        ends->first = std::move(ends->second);  // closes the gateway's end in this process
        for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
        if (!drop_privileges(run_as, std::uint64_t{1} << CAP_DAC_READ_SEARCH)) _exit(70);
        keep(std::move(ends->first), config_path);
        _exit(0);
    }
    return std::unique_ptr<FileKeeper>(new FileKeeper(std::move(ends->first), process));
}

FileKeeper::~FileKeeper() {
    // It belongs to another user by now and takes no signals of ours; it ends with its channel.
    channel_.reset();
    waitpid(process_, nullptr, 0);
}

std::expected<Fd, int> FileKeeper::open(const std::string& path) {
    auto answered = channel_->ask({{"open", path}}, {}, answer_time_limit);
    if (!answered) return std::unexpected(EPIPE);
    const auto json = answered->json();
    const auto number = json.find("errno");
    if (number == json.end() || !number->is_number_integer()) return std::unexpected(EPROTO);
    if (number->get<int>() != 0) return std::unexpected(number->get<int>());
    if (answered->descriptors.size() != 1) return std::unexpected(EPROTO);
    return std::move(answered->descriptors.front());
}

}  // namespace causeway::gateway
